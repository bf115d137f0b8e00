import type { Caller } from '../../contract/caller.ts';
import type { Timers } from '../../contract/services.ts';
import type { Exchange } from '../exchange.ts';
import { KeptRun, type KeptRunOptions, type RunFacts } from './kept-run.ts';

export interface RunLimits {
  /** Characters of one run's frames; the oldest frames go first. */
  readonly charactersPerRun: number;
  /** Of all runs of one owner that are over; the oldest runs go first. */
  readonly charactersOfEnded: number;
  /** How long a run can be read after its end. */
  readonly keptMs: number;
}

/** An answer of 32k tokens takes 8 to 12 million characters in the forms that say most with each token. */
const defaultLimits: RunLimits = {
  charactersPerRun: 16 * 1024 ** 2,
  charactersOfEnded: 32 * 1024 ** 2,
  keptMs: 5 * 60_000,
};

/** What a run takes besides its frames, so that many small ones are bounded too. */
const overhead = 4096;

/** The runs that go on without a reader, and those that have ended a while ago. */
export class KeptRuns {
  readonly #timers: Timers;
  readonly #limits: RunLimits;
  /** Oldest first. */
  readonly #runs = new Map<string, KeptRun>();

  constructor(timers: Timers, limits: RunLimits = defaultLimits) {
    this.#timers = timers;
    this.#limits = limits;
  }

  /** Begins the run. Its request counts as under way until the run is over, whether or not its client stays. */
  keep(facts: RunFacts, options: KeptRunOptions, exchange: Exchange): KeptRun {
    const run = new KeptRun(facts, options, this.#limits.charactersPerRun);
    this.#runs.set(facts.id, run);
    exchange.outlive(run.done);
    void run.done.then(() => this.#ended(run));
    return run;
  }

  find(id: string, { sees }: Pick<Caller, 'sees'>): KeptRun | undefined {
    const run = this.#runs.get(id);
    return run && sees(run.facts.owner) ? run : undefined;
  }

  /** Newest first. */
  list({ sees }: Pick<Caller, 'sees'>): readonly KeptRun[] {
    return [...this.#runs.values()].filter(({ facts }) => sees(facts.owner)).reverse();
  }

  forget(run: KeptRun): void {
    if (this.#runs.get(run.facts.id) === run) this.#runs.delete(run.facts.id);
  }

  #ended(run: KeptRun): void {
    if (this.#runs.get(run.facts.id) !== run) return;
    this.#timers.after(this.#limits.keptMs, () => this.forget(run));
    const { owner } = run.facts;
    const ended = [...this.#runs.values()].filter((other) => other.over && other.facts.owner === owner);
    let sum = ended.reduce((characters, other) => characters + other.characters + overhead, 0);
    for (const other of ended) {
      if (sum <= this.#limits.charactersOfEnded || other === run) break;
      sum -= other.characters + overhead;
      this.forget(other);
    }
  }
}
