import { createDeferred, type Deferred } from '../../contract/deferred.ts';
import type { Directive, Engine, GeneratedToken, SlotState } from '../engine.ts';
import type { RunDirectives, SlotReport, StepMessage } from './protocol.ts';

interface Delivery {
  readonly run: number;
  readonly reply: Deferred<readonly Directive[]>;
}

type Contents = {
  -readonly [Part in 'admitted' | 'promptLogprobs' | 'delivered' | 'ended' | 'reports']: StepMessage[Part][number][];
};

/**
 * What the child has to tell, gathered until the end of the event loop's turn. The step loop samples, plans and starts
 * the next decode in one turn: so there is one message for each step, sent while the next one is being decoded.
 */
export class Outbox {
  readonly #engine: () => Pick<Engine, 'slots' | 'stats'>;
  readonly #send: (message: StepMessage) => void;
  #contents: Contents = emptyContents();
  #deliveries: Delivery[] = [];
  readonly #awaiting = new Map<number, readonly Delivery[]>();
  /** The run whose tokens a slot holds; none when its state came from elsewhere. */
  readonly #owners = new Map<number, number>();
  readonly #told = new Map<number, SlotReport>();
  #step = 0;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(engine: () => Pick<Engine, 'slots' | 'stats'>, send: (message: StepMessage) => void) {
    this.#engine = engine;
    this.#send = send;
  }

  add<Part extends keyof Contents>(part: Part, ...news: Contents[Part]): void {
    const list: Contents[Part][number][] = this.#contents[part];
    list.push(...news);
    this.#schedule();
  }

  admitted(run: number, slot: number, cachedTokens: number): void {
    this.#owners.set(slot, run);
    this.add('admitted', { run, cachedTokens });
  }

  /** The slot's state is about to be replaced by one that no run made. */
  disown(slot: number): void {
    this.#owners.delete(slot);
    this.#told.delete(slot);
  }

  deliver(run: number, tokens: readonly GeneratedToken[]): Promise<readonly Directive[]> {
    const reply = createDeferred<readonly Directive[]>();
    this.#deliveries.push({ run, reply });
    this.add('delivered', { run, tokens });
    return reply.promise;
  }

  /** What the requests said to the tokens of a step. */
  replied(step: number, runs: readonly RunDirectives[]): void {
    const deliveries = this.#awaiting.get(step) ?? [];
    this.#awaiting.delete(step);
    for (const { run, reply } of deliveries) {
      reply.resolve(runs.filter((each) => each.run === run).flatMap(({ directives }) => directives));
    }
  }

  /** Sends at once, so that what is sent next comes after it. */
  flush(): void {
    if (this.#scheduled === undefined) return;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const contents = this.#contents;
    this.#contents = emptyContents();
    const step = this.#step++;
    if (this.#deliveries.length > 0) this.#awaiting.set(step, this.#deliveries);
    this.#deliveries = [];
    const { steps, prefillTokens, decodeTokens, prefillRate, decodeRate } = this.#engine().stats();
    const stats = { steps, prefillTokens, decodeTokens, prefillRate, decodeRate };
    this.#send({ type: 'step', step, ...contents, slots: this.#slotReports(), stats });
  }

  #schedule(): void {
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  #slotReports(): SlotReport[] {
    return this.#engine()
      .slots()
      .flatMap((slot) => {
        const run = this.#owners.get(slot.id);
        if (run === undefined) return [];
        const report = reportOf(slot, run);
        if (isSame(report, this.#told.get(slot.id))) return [];
        this.#told.set(slot.id, report);
        return [report];
      });
  }
}

function emptyContents(): Contents {
  return { admitted: [], promptLogprobs: [], delivered: [], ended: [], reports: [] };
}

function reportOf({ id, tokens, cutPoints }: SlotState, run: number): SlotReport {
  return { slot: id, run, held: tokens.length, cutPoints };
}

function isSame(one: SlotReport, other: SlotReport | undefined): boolean {
  return (
    other !== undefined &&
    one.run === other.run &&
    one.held === other.held &&
    String(one.cutPoints) === String(other.cutPoints)
  );
}
