import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { Clock, Timers } from '../../contract/services.ts';
import type { EngineRun } from '../engine.ts';
import type { StepShare } from '../plan-step.ts';
import { planStep } from '../plan-step.ts';
import type { LoopJob } from '../remote-request.ts';
import type { StepPacer } from '../step-pacer.ts';
import { type ThreadPlan, threadsFor } from '../thread-plan.ts';
import { giveToRequest } from './deliver.ts';
import { RunSampler, type SamplingTools } from './run-sampler.ts';
import { readPromptLogprobs, sampleRun, takeForced } from './sample-run.ts';
import { SequenceRun } from './sequence-run.ts';
import type { Slot } from './slot.ts';
import type { Guesser, GuesserFactory } from './speculation.ts';

export interface StepReport {
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly sequences: number;
  readonly ms: number;
}

export interface StepLoopOptions {
  readonly tools: SamplingTools;
  readonly slots: readonly Slot[];
  readonly batchSize: number;
  readonly threads: ThreadPlan;
  readonly pacer: StepPacer;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Whether a step on several threads starts ggml's workers anew, as on CPUs. */
  readonly startsWorkers: boolean;
  /** Called when the loop gets work; the returned function when it has none left. See DecodeThread. */
  readonly becomeBusy: () => () => void;
  /** Speculative decoding; undefined: one token a step. */
  readonly guessers: GuesserFactory | undefined;
  readonly onStep: (report: StepReport) => void;
  /** The context is broken: every run has failed, no further step will come. */
  readonly onFailure: (error: unknown) => void;
}

/** A run's part in the step that is being decoded. */
interface Participant {
  readonly slot: Slot;
  readonly run: SequenceRun;
  readonly share: StepShare;
  /** Batch indexes whose logits may be sampled. */
  readonly logits: Uint32Array;
}

/**
 * The one owner of the native context. A step: (1) between steps: state work, new runs, aborts; (2) plan-step decides
 * the batch; (3) one llama_decode; meanwhile the tokens of the last step go to their requests, whose text work runs
 * here, synchronously; (4) sampling, all sequences at once. What a request says to a token (stop, force, grammar) is
 * therefore always known before its next token is sampled.
 */
export class StepLoop {
  readonly #options: StepLoopOptions;
  readonly #joining: SequenceRun[] = [];
  readonly #betweenSteps: (() => Promise<void>)[] = [];
  readonly #progressWatchers = new Set<() => void>();
  #wakeUp: (() => void) | undefined;
  #becomeIdle: (() => void) | undefined;
  #disposed: Promise<void> | undefined;
  #stopping = false;
  readonly #guessers: readonly (Guesser | undefined)[];

  constructor(options: StepLoopOptions) {
    this.#options = options;
    this.#guessers = options.slots.map(({ id }) => options.guessers?.(id));
  }

  start(): void {
    this.#disposed = this.#run();
  }

  join(job: LoopJob): EngineRun {
    const slot = this.#slot(job.slot);
    if (slot.run) throw new ServeError('internal', `Slot ${job.slot} is in use.`);
    if (this.#stopping) throw stopped();
    const facts = { cachedTokens: slot.reusable(job.prompt, job.reuse), stops: slot.stops(job) };
    const run = new SequenceRun(job, facts, this.#options.clock, () => this.wake());
    slot.run = run;
    this.#joining.push(run);
    const wake = () => this.wake();
    job.signal.addEventListener('abort', wake, { once: true });
    run.done.catch(() => undefined).finally(() => job.signal.removeEventListener('abort', wake));
    this.wake();
    this.#tellWatchers();
    return run;
  }

  /** Runs native state work while no batch is in flight. */
  between<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#stopping) return Promise.reject(stopped());
    const { promise, resolve, reject } = createDeferred<Result>();
    this.#betweenSteps.push(() => work().then(resolve, reject));
    this.wake();
    return promise;
  }

  /** Calls back after every step, and when a run joins, until unsubscribed. */
  watch(callback: () => void): () => void {
    this.#progressWatchers.add(callback);
    return () => this.#progressWatchers.delete(callback);
  }

  #tellWatchers(): void {
    for (const watcher of this.#progressWatchers) watcher();
  }

  wake(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#disposed;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopping) {
        await this.#prepare();
        const shares = this.#plan();
        if (shares.length > 0) await this.#step(shares);
        else await this.#sleep();
      }
      this.#failAll(stopped());
    } catch (error) {
      this.#stopping = true;
      this.#failAll(new ServeError('engine_failure', 'The model failed while generating.', {}, { cause: error }));
      this.#options.onFailure(error);
    } finally {
      this.#rest();
    }
  }

  #rest(): void {
    this.#becomeIdle?.();
    this.#becomeIdle = undefined;
  }

  #sleep(): Promise<void> {
    if (this.#joining.length > 0 || this.#betweenSteps.length > 0 || this.#stopping) return Promise.resolve();
    this.#rest();
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  async #prepare(): Promise<void> {
    for (const slot of this.#options.slots) {
      if (slot.run?.job.signal.aborted) this.#leave(slot, (run) => run.fail(run.job.signal.reason));
    }
    for (const work of this.#betweenSteps.splice(0)) await work();
    for (const run of this.#joining.splice(0)) {
      const slot = this.#slot(run.job.slot);
      if (slot.run === run) await this.#admit(slot, run);
    }
  }

  async #admit(slot: Slot, run: SequenceRun): Promise<void> {
    try {
      await slot.cut(run.cachedTokens);
    } catch {
      // Whatever became of the old state, an empty slot can serve the request.
      slot.clear();
      run.forgetCached();
    }
    run.job.remote?.admitted(run.cachedTokens);
    try {
      run.sampler = new RunSampler(this.#options.tools, run.job);
      run.started();
    } catch (error) {
      slot.clear();
      this.#leave(slot, () => run.fail(requestFailure(error)));
    }
  }

  #plan(): StepShare[] {
    const { slots, batchSize, pacer } = this.#options;
    const demands = slots.flatMap(({ id, run }) =>
      run?.sampler && !run.paused
        ? [
            {
              slot: id,
              waiting: run.nextPiece,
              phase: run.prefilling ? ('prefill' as const) : ('decode' as const),
              starved: run.starved,
            },
          ]
        : [],
    );
    const decoding = demands.filter(({ phase }) => phase === 'decode').length;
    const shares = planStep(demands, { batchSize, prefillBudget: pacer.budget(decoding) });
    for (const { slot } of demands) {
      const { run } = this.#slot(slot);
      if (run) run.starved = shares.some((share) => share.slot === slot) ? 0 : run.starved + 1;
    }
    return shares;
  }

  async #step(shares: readonly StepShare[]): Promise<void> {
    const { clock, onStep, pacer, tools, startsWorkers } = this.#options;
    this.#becomeIdle ??= this.#options.becomeBusy();
    const startedAt = clock();
    const participants = this.#fillBatch(shares);
    const decoded = tools.context.decodeBatch();
    if (startsWorkers && tools.context.getThreads() > 1) await this.#workersStarted(decoded);
    // From here until the await, the text work of the last step overlaps the decoding of this one.
    this.#deliver();
    await decoded;
    const report = this.#account(participants);
    await Promise.all(participants.map((participant) => this.#advance(participant)));
    const ms = clock() - startedAt;
    pacer.learn({ ...report, ms });
    onStep({ ...report, ms });
    this.#tellWatchers();
  }

  /**
   * ggml starts its workers a moment into the decode. Where this thread and the clients it writes to are busy just
   * then, the kernel may put a worker on the core of its starter, where the two spin against each other: measured on 2
   * cores with 2 ggml threads, small model, tokens a second with / without this rest: 1 stream 340 / 150, 4 streams
   * 840 / 720, 8 streams 940 / 880. On one ggml thread nothing is started, and nothing waits.
   */
  async #workersStarted(decoded: Promise<void>): Promise<void> {
    const { promise, resolve } = createDeferred<void>();
    const cancel = this.#options.timers.after(workersStartMs, resolve);
    await Promise.race([promise, decoded.catch(() => undefined)]);
    cancel();
  }

  #fillBatch(shares: readonly StepShare[]): Participant[] {
    const { context } = this.#options.tools;
    const batchTokens = shares.reduce((sum, { tokens }) => sum + tokens, 0);
    context.setThreads(threadsFor(this.#options.threads, batchTokens));
    context.initBatch(batchTokens);
    return shares.flatMap((share) => {
      const slot = this.#slot(share.slot);
      const { run } = slot;
      if (!run) return [];
      if (share.tokens < run.waiting) run.dropGuessesBehind(share.tokens);
      const tokens = Uint32Array.from(run.input.slice(run.position, run.position + share.tokens));
      const all = run.prefilling ? run.promptLogprobs !== undefined : run.guessed.length > 0;
      const wanted = all ? [...tokens.keys()] : lastOf(run, share.tokens);
      const logits = context.addToBatch(slot.id, slot.tokens.length, tokens, Uint32Array.from(wanted));
      return [{ slot, run, share, logits }];
    });
  }

  #account(participants: readonly Participant[]): Omit<StepReport, 'ms'> {
    let prefillTokens = 0;
    let decodeTokens = 0;
    for (const { slot, run, share } of participants) {
      for (let at = 0; at < share.tokens; at++) slot.tokens.push(run.input[run.position + at] ?? 0);
      run.position += share.tokens;
      if (run.prefilling) prefillTokens += share.tokens;
      else decodeTokens += share.tokens;
    }
    return { prefillTokens, decodeTokens, sequences: participants.length };
  }

  /** After the decode: the run's next token, or its end. */
  async #advance(participant: Participant): Promise<void> {
    const { slot, run, share, logits } = participant;
    if (slot.run !== run) return;
    if (run.reply !== undefined) await run.reply;
    if (run.failure !== undefined) return this.#leave(slot, () => run.fail(requestFailure(run.failure)));
    if (run.stopped) return this.#leave(slot, () => run.finish('stopped'));
    try {
      if (run.prefilling) await readPromptLogprobs(run, share.tokens, logits);
      if (run.atStop) await slot.takeCheckpoint();
      if (run.waiting > 0) return;
      if (run.full) return this.#leave(slot, () => run.finish('length'));
      if (run.forced.length > 0) run.generated(takeForced(run));
      else await this.#sample(slot, run, run.prefilling ? logits.subarray(-1) : logits);
    } catch (error) {
      return this.#leave(slot, () => run.fail(requestFailure(error)));
    }
    if (slot.run === run && run.full) this.#end(slot, run);
  }

  async #sample(slot: Slot, run: SequenceRun, logits: Uint32Array): Promise<void> {
    const { end, tokens, guesses } = await sampleRun(run, logits, {
      slot,
      guesser: run.job.certainTokensOnly ? undefined : this.#guessers[slot.id],
      isEndOfGeneration: (token) => this.#options.tools.model.isEogToken(token),
    });
    run.generated(tokens, guesses);
    if (!end) return;
    giveToRequest(run);
    this.#leave(slot, () => run.finish(run.stopped ? 'stopped' : end));
  }

  /** The budget is used up: the last token is delivered without waiting for a decode that will not come. */
  #end(slot: Slot, run: SequenceRun): void {
    giveToRequest(run);
    this.#leave(slot, () => run.finish(run.stopped ? 'stopped' : 'length'));
  }

  #deliver(): void {
    for (const { run } of this.#options.slots) if (run && run.undelivered.length > 0) giveToRequest(run);
  }

  #leave(slot: Slot, settle: (run: SequenceRun) => void): void {
    const { run } = slot;
    if (!run) return;
    slot.run = undefined;
    this.#guessers[slot.id]?.stop();
    settle(run);
  }

  #failAll(error: unknown): void {
    for (const slot of this.#options.slots) this.#leave(slot, (run) => run.fail(error));
    for (const work of this.#betweenSteps.splice(0)) void work().catch(() => undefined);
  }

  #slot(id: number): Slot {
    const slot = this.#options.slots[id];
    if (!slot) throw new ServeError('internal', `There is no slot ${id}.`);
    return slot;
  }
}

/** Enough, and the least that a timer can wait. */
const workersStartMs = 1;

function lastOf(run: SequenceRun, tokens: number): number[] {
  return run.waiting === tokens ? [tokens - 1] : [];
}

function stopped(): ServeError {
  return new ServeError('engine_failure', 'The model was unloaded while this request was running.');
}

function requestFailure(error: unknown): ServeError {
  if (error instanceof ServeError) return error;
  return new ServeError('engine_failure', 'The model failed on this request.', {}, { cause: error });
}
