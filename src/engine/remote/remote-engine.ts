import { ServeError } from '../../contract/errors.ts';
import { checkPrompt, checkPromptTokens } from '../check-job.ts';
import type { Directive, Engine, EngineInfo, EngineJob, EngineRun, EngineStats, TokenText } from '../engine.ts';
import { reusablePrefix, whenHeld } from '../prefix.ts';
import { MirrorSlot } from './mirror-slot.ts';
import { type FromLoop, fromWire, type StepMessage, type StepReport, type ToLoop } from './protocol.ts';
import { Questions } from './questions.ts';
import { RemoteRun } from './remote-run.ts';
import { createSlotMoves } from './slot-moves.ts';

export interface RemoteEngineOptions {
  readonly info: EngineInfo;
  readonly text: TokenText;
  readonly stats: EngineStats;
  /** undefined: the state of its slots cannot be moved. */
  readonly moves: { readonly fingerprint: string | undefined } | undefined;
  readonly send: (message: ToLoop) => void;
  /** Ends a decode that nobody waits for any more, where that can be done. */
  readonly interrupt: () => void;
  /** Ends the loop; settles when it is gone. */
  readonly end: () => Promise<void>;
  readonly onStep: ((report: StepReport) => void) | undefined;
}

/** What the server keeps of the engine in its thread, and hears from it. */
export class RemoteEngine {
  readonly engine: Engine;
  readonly questions: Questions;
  readonly #options: RemoteEngineOptions;
  readonly #slots: readonly MirrorSlot[];
  readonly #runs = new Map<number, RemoteRun>();
  readonly #watchers = new Set<() => void>();
  #nextRun = 1;
  #stats: EngineStats;
  #closed: ServeError | undefined;

  constructor(options: RemoteEngineOptions) {
    const { info, send } = options;
    this.#options = options;
    this.#stats = options.stats;
    this.#slots = Array.from({ length: info.slots }, (_, id) => new MirrorSlot(id));
    this.questions = new Questions(send);
    this.engine = this.#build();
  }

  take(message: Extract<FromLoop, { type: 'step' | 'answer' | 'refusal' }>): void {
    switch (message.type) {
      case 'step':
        this.#step(message);
        return;
      case 'answer':
        this.questions.answered(message.id, message.answer);
        return;
      case 'refusal':
        this.questions.refused(message.id, fromWire(message.error));
        return;
      default:
        message satisfies never;
    }
  }

  /** Nothing more will come from the loop: whoever waits for it fails. */
  close(reason: ServeError): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.questions.close(reason);
    for (const run of [...this.#runs.values()]) this.#leave(run, () => run.fail(reason));
    this.#tellWatchers();
  }

  #build(): Engine {
    const { info, text, moves, send, end } = this.#options;
    const watch = (check: () => void) => {
      this.#watchers.add(check);
      return () => void this.#watchers.delete(check);
    };
    return {
      info,
      text,
      slots: () => this.#slots,
      run: (job) => this.#run(job, send),
      snapshots: moves && createSlotMoves(moves, this.#slots, this.questions),
      whenHeld: (slot, tokens, signal) => whenHeld(watch, this.#slots[slot], tokens, signal),
      stats: () => this.#stats,
      dispose: end,
    };
  }

  #run(job: EngineJob, send: (message: ToLoop) => void): EngineRun {
    const slot = this.#slots[job.slot];
    if (!slot) throw new ServeError('internal', `There is no slot ${job.slot}.`);
    if (slot.run) throw new ServeError('internal', `Slot ${job.slot} is in use.`);
    if (this.#closed) throw this.#closed;
    const { info } = this.#options;
    checkPrompt(job.prompt, info);
    checkPromptTokens(job, info);
    // A full context would shift: its beginning would be lost.
    const fitting = { ...job, maxTokens: Math.min(job.maxTokens, info.contextSize - job.prompt.length) };
    const run = new RemoteRun(this.#nextRun++, fitting, { cachedTokens: reusablePrefix(slot, job), info, send });
    slot.begin(run);
    this.#runs.set(run.id, run);
    run.start(() => this.#interruptIfAllLeft());
    this.#tellWatchers();
    return run;
  }

  #interruptIfAllLeft(): void {
    for (const run of this.#runs.values()) if (!run.job.signal.aborted) return;
    this.#options.interrupt();
  }

  #step(message: StepMessage): void {
    const { ended = [], reports = [], stats } = message;
    if (stats) this.#stats = { ...this.#stats, ...stats };
    this.#updateSlots(message);
    this.#giveTokens(message);
    for (const end of ended) {
      const run = this.#runs.get(end.run);
      run?.afterTokens(() => this.#leave(run, () => run.end(end)));
    }
    for (const report of reports) this.#options.onStep?.(report);
    this.#tellWatchers();
  }

  #updateSlots({ admitted = [], delivered = [], slots = [] }: StepMessage): void {
    for (const { run: id, cachedTokens } of admitted) {
      const run = this.#runs.get(id);
      if (!run) continue;
      run.cachedTokens = cachedTokens;
      this.#slots[run.job.slot]?.admit(run, cachedTokens);
    }
    for (const { run: id, tokens } of delivered) {
      const run = this.#runs.get(id);
      if (run) this.#slots[run.job.slot]?.follow(run, tokens);
    }
    for (const report of slots) this.#slots[report.slot]?.report(report);
  }

  /** The loop waits for the answer before it samples the next token that counts; all the text work of the step is done by then. */
  #giveTokens({ step, promptLogprobs = [], delivered = [] }: StepMessage): void {
    for (const { run, tokens } of promptLogprobs) this.#runs.get(run)?.job.onPromptLogprobs?.(tokens);
    if (delivered.length === 0) return;
    const said = new Map<number, Directive[]>();
    const held = new Set<number>();
    for (const { run, tokens } of delivered) {
      const directives = this.#runs.get(run)?.give(step, tokens);
      if (directives === undefined && this.#runs.has(run)) held.add(run);
      else if (directives && directives.length > 0) said.set(run, [...(said.get(run) ?? []), ...directives]);
    }
    for (const run of held) this.#runs.get(run)?.keep(step, said.get(run) ?? []);
    const runs = Array.from(said, ([run, directives]) => ({ run, directives })).filter(({ run }) => !held.has(run));
    this.#options.send({ type: 'directives', step, runs, ...(held.size > 0 && { held: [...held] }) });
  }

  #leave(run: RemoteRun, settle: () => void): void {
    this.#runs.delete(run.id);
    const slot = this.#slots[run.job.slot];
    if (slot?.run === run) slot.run = undefined;
    settle();
  }

  #tellWatchers(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
