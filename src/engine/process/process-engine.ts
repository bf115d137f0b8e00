import { ServeError } from '../../contract/errors.ts';
import type { Engine, EngineJob, EngineRun, EngineStats } from '../engine.ts';
import type { StepReport } from '../llama/step-loop.ts';
import { reusablePrefix } from '../reusable-prefix.ts';
import { bytesInTable } from '../token-table.ts';
import { whenHeld } from '../when-held.ts';
import { MirrorSlot } from './mirror-slot.ts';
import { ProcessRun } from './process-run.ts';
import { fromWire, type LoadedFacts, type StepMessage, type ToChild, type ToParent } from './protocol.ts';
import { Questions } from './questions.ts';
import { createSlotMoves } from './slot-moves.ts';

export interface ProcessEngineOptions {
  readonly facts: LoadedFacts;
  readonly send: (message: ToChild) => void;
  /** Ends the process; settles when it is gone. */
  readonly end: () => Promise<void>;
  readonly onStep: ((report: StepReport) => void) | undefined;
}

/** What the parent keeps of the engine in the child, and hears from it. */
export class ProcessEngine {
  readonly engine: Engine;
  readonly questions: Questions;
  readonly #options: ProcessEngineOptions;
  readonly #slots: readonly MirrorSlot[];
  readonly #runs = new Map<number, ProcessRun>();
  readonly #watchers = new Set<() => void>();
  #nextRun = 1;
  #stats: EngineStats;
  #closed: ServeError | undefined;

  constructor(options: ProcessEngineOptions) {
    const { facts, send } = options;
    this.#options = options;
    this.#stats = facts.stats;
    this.#slots = Array.from({ length: facts.info.slots }, (_, id) => new MirrorSlot(id));
    this.questions = new Questions(send);
    this.engine = this.#build();
  }

  take(message: Extract<ToParent, { type: 'step' | 'answer' | 'refusal' }>): void {
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

  /** Nothing more will come from the child: whoever waits for it fails. */
  close(reason: ServeError): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.questions.close(reason);
    for (const run of [...this.#runs.values()]) this.#leave(run, () => run.fail(reason));
    this.#tellWatchers();
  }

  #build(): Engine {
    const { facts, send, end } = this.#options;
    const endTokens = new Set(facts.tokens.endsGeneration);
    const controlTokens = new Set(facts.tokens.control);
    const watch = (check: () => void) => {
      this.#watchers.add(check);
      return () => void this.#watchers.delete(check);
    };
    return {
      info: { ...facts.info, isEndOfGeneration: (token) => endTokens.has(token) },
      text: {
        tokenize: async (pieces, { special, signal }) => {
          const { tokens } = await this.questions.ask('tokens', { about: 'tokens', pieces, special }, signal);
          return [...tokens];
        },
        bytes: (token) => bytesInTable(facts.tokens, token),
        isControl: (token) => controlTokens.has(token),
      },
      slots: () => this.#slots,
      run: (job) => this.#run(job, send),
      snapshots: facts.snapshots && createSlotMoves(facts.snapshots, this.#slots, this.questions),
      whenHeld: (slot, tokens, signal) => whenHeld(watch, this.#slots[slot], tokens, signal),
      stats: () => this.#stats,
      dispose: end,
    };
  }

  #run(job: EngineJob, send: (message: ToChild) => void): EngineRun {
    const slot = this.#slots[job.slot];
    if (!slot) throw new ServeError('internal', `There is no slot ${job.slot}.`);
    if (slot.run) throw new ServeError('internal', `Slot ${job.slot} is in use.`);
    if (this.#closed) throw this.#closed;
    const run = new ProcessRun(this.#nextRun++, job, reusablePrefix(slot, job.prompt, job.reuse), send);
    slot.run = run;
    this.#runs.set(run.id, run);
    run.start();
    this.#tellWatchers();
    return run;
  }

  #step(message: StepMessage): void {
    this.#stats = { ...this.#stats, ...message.stats };
    this.#updateSlots(message);
    this.#giveTokens(message);
    for (const end of message.ended) {
      const run = this.#runs.get(end.run);
      if (run) this.#leave(run, () => run.end(end));
    }
    for (const report of message.reports) this.#options.onStep?.(report);
    this.#tellWatchers();
  }

  #updateSlots({ admitted, delivered, slots }: StepMessage): void {
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

  /** The child waits for the answer before it samples; all the text work of the step is done by then. */
  #giveTokens({ step, promptLogprobs, delivered }: StepMessage): void {
    for (const { run, tokens } of promptLogprobs) this.#runs.get(run)?.job.onPromptLogprobs?.(tokens);
    if (delivered.length === 0) return;
    const runs = delivered.map(({ run, tokens }) => ({ run, directives: this.#runs.get(run)?.give(tokens) ?? [] }));
    this.#options.send({ type: 'directives', step, runs: runs.filter(({ directives }) => directives.length > 0) });
  }

  #leave(run: ProcessRun, settle: () => void): void {
    this.#runs.delete(run.id);
    const slot = this.#slots[run.job.slot];
    if (slot?.run === run) slot.run = undefined;
    settle();
  }

  #tellWatchers(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
