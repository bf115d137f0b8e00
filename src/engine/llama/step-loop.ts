import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/services.ts';
import type { AfterPause } from '../after-pause.ts';
import type { EngineRun } from '../engine.ts';
import { planStep, type SequenceDemand, type StepShare } from '../plan-step.ts';
import type { LoopJob } from '../remote-request.ts';
import type { StepPacer } from '../step-pacer.ts';
import { type ThreadPlan, threadsFor } from '../thread-plan.ts';
import { countBatch, fillBatch, type Participant, tokensOf } from './batch.ts';
import type { DecodeThread } from './decode-thread.ts';
import { giveToRequest } from './deliver.ts';
import { type Draw, startStep } from './native-step.ts';
import { RunSampler, type SamplingTools } from './run-sampler.ts';
import { noToken, readPromptLogprobs, type Sampled, sampleRun, takeDrawn, takeForced } from './sample-run.ts';
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
  readonly afterPause: AfterPause;
  readonly pacer: StepPacer;
  readonly clock: Clock;
  /** Called when a step on several threads was queued, which on CPUs starts ggml's workers anew. */
  readonly restWhileWorkersStart: (step: { readonly readsPrompt: boolean }) => void;
  /** Called when the loop gets work; the returned function when it has none left. See DecodeThread. */
  readonly becomeBusy: () => () => void;
  readonly thread: Pick<DecodeThread, 'inOrder' | 'keepOrder'>;
  /** That ggml's threads and this one share; Infinity where the model is computed elsewhere. */
  readonly cores: number;
  /** Speculative decoding; undefined: one token a step. */
  readonly guessers: GuesserFactory | undefined;
  readonly onStep: (report: StepReport) => void;
  /** The context is broken: every run has failed, no further step will come. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The one owner of the native context. A step: (1) between steps: state work, new runs, aborts; (2) plan-step decides
 * the batch; (3) one llama_decode, and the sampling of all runs that nobody steers behind it; meanwhile the tokens of the
 * last step go to their requests, whose text work runs here, synchronously; (4) sampling of the others. What a request
 * says to a token (stop, force, grammar) is always known before its next token counts: of a run that is stopped, the
 * token that was drawn meanwhile is thrown away.
 *
 * Between the last token of a step and the next decode the cores wait, so nothing is done there that can be done later.
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
  /** Told several at once, see reportEvery. */
  readonly #unreported: StepReport[] = [];
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
        this.#leaveAborted();
        if (this.#betweenSteps.length > 0 || this.#joining.length > 0) await this.#prepare();
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
      this.#report();
    }
  }

  #rest(): void {
    this.#becomeIdle?.();
    this.#becomeIdle = undefined;
  }

  #sleep(): Promise<void> {
    if (this.#joining.length > 0 || this.#betweenSteps.length > 0 || this.#stopping) return Promise.resolve();
    this.#rest();
    this.#report();
    this.#tellWatchers();
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  #leaveAborted(): void {
    for (const slot of this.#options.slots) {
      if (slot.run?.job.signal.aborted) this.#leave(slot, (run) => run.fail(run.job.signal.reason));
    }
  }

  async #prepare(): Promise<void> {
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
    const demands: SequenceDemand[] = [];
    let decoding = 0;
    for (const { id, run } of slots) {
      if (!run?.sampler || run.paused) continue;
      if (!run.prefilling) decoding++;
      const phase = run.prefilling ? 'prefill' : 'decode';
      demands.push({ slot: id, waiting: run.nextPiece, phase, starved: run.starved++ });
    }
    const shares = planStep(demands, { batchSize, prefillBudget: pacer.budget(decoding) });
    for (const { slot } of shares) {
      const { run } = this.#slot(slot);
      if (run) run.starved = 0;
    }
    return shares;
  }

  async #step(shares: readonly StepShare[]): Promise<void> {
    const { clock, pacer, tools, slots, threads, afterPause, restWhileWorkersStart } = this.#options;
    this.#becomeIdle ??= this.#options.becomeBusy();
    const startedAt = clock();
    const batch = { tokens: tokensOf(shares), sequences: shares.length };
    const ggmlThreads = afterPause.threadsFor(threadsFor(threads, batch.tokens), batch, startedAt);
    tools.context.setThreads(ggmlThreads);
    const participants = fillBatch(tools.context, slots, shares);
    const ahead = participants.filter(({ run, logits }) => run.drawsAhead && logits.length === 1);
    const { decoded, drawn } = startStep(tools.context, this.#options.thread, ahead.map(drawOf));
    // Until the decode has its workers, a moment from now, this thread's core is idle.
    if (this.#unreported.length >= reportEvery || pacer.decodeStepMs > quickStepMs) this.#report();
    this.#tellWatchers();
    const textWaits = this.#textCanWait(shares, ggmlThreads);
    if (ggmlThreads > 1) restWhileWorkersStart({ readsPrompt: participants.some(({ run }) => run.prefilling) });
    // From here until the await, the text work of the last step overlaps the decoding of this one.
    if (!textWaits) this.#deliver();
    try {
      await decoded;
    } catch (error) {
      // Samplers are in use until then.
      await drawn;
      this.#deliver();
      throw error;
    }
    this.#deliver();
    const report = countBatch(participants);
    const outcomes = await drawn;
    for (const [index, participant] of ahead.entries()) participant.drawn = outcomes[index];
    const waited = participants.flatMap((participant) => this.#advance(participant) ?? []);
    if (waited.length > 0) await Promise.all(waited);
    const endedAt = clock();
    const ms = endedAt - startedAt;
    afterPause.batchEnded(ggmlThreads, batch, ms, endedAt);
    pacer.learn({ ...report, ms });
    this.#unreported.push({ ...report, ms });
    // Whoever hears that a run has ended finds it counted, and how far a prompt has come is waited for.
    if (report.prefillTokens > 0 || participants.some(({ slot, run }) => slot.run !== run)) this.#report();
  }

  /**
   * Where ggml's threads have all cores, text work during the decode takes one from them, and the other waits. While the
   * tokens are drawn one core is idle; so quick steps leave their text until then, which is a step later. First tokens
   * never wait. Measured on 2 cores: 24 layers and one stream 84 -> 92 tokens a second, 2 layers and eight streams
   * 1,550 -> 1,610, but four 1,300 -> 1,265: their text takes longer than the drawing.
   */
  #textCanWait(shares: readonly StepShare[], ggmlThreads: number): boolean {
    const { slots, pacer, cores } = this.#options;
    if (ggmlThreads < cores || cores < 2 || pacer.decodeStepMs > quickStepMs) return false;
    if (tokensOf(shares) > shares.length) return false;
    return slots.every(({ run }) => !run || run.undelivered.length === 0 || run.outputTokens > firstTokens);
  }

  #report(): void {
    for (const report of this.#unreported.splice(0)) this.#options.onStep(report);
  }

  /** After the decode: the run's next token, or its end. A promise only where something has to be waited for. */
  #advance(participant: Participant): Promise<void> | undefined {
    const { slot, run, drawn } = participant;
    const waits = run.reply !== undefined || run.job.logprobs || run.atStop || this.#guesser(slot, run);
    if (drawn?.status !== 'fulfilled' || waits) return this.#advanceInTime(participant);
    if (!this.#isOver(slot, run)) this.#take(slot, run, takeDrawn(run, drawn.value, this.#isEnd));
    return undefined;
  }

  async #advanceInTime(participant: Participant): Promise<void> {
    const { slot, run, share, logits, drawn } = participant;
    if (run.reply !== undefined) await run.reply;
    if (this.#isOver(slot, run)) return;
    try {
      if (run.prefilling) await readPromptLogprobs(run, share.tokens, logits);
      if (run.atStop) await slot.takeCheckpoint();
      if (run.waiting > 0) return;
      if (run.full) return this.#leave(slot, () => run.finish('length'));
      if (run.forced.length > 0) run.generated(takeForced(run));
      else {
        const tools = { slot, drawn, guesser: this.#guesser(slot, run), isEndOfGeneration: this.#isEnd };
        this.#take(slot, run, await sampleRun(run, run.prefilling ? logits.subarray(-1) : logits, tools));
      }
    } catch (error) {
      return this.#leave(slot, () => run.fail(requestFailure(error)));
    }
    if (slot.run === run && run.full) this.#end(slot, run);
  }

  /** A request had no use for a further token. */
  #isOver(slot: Slot, run: SequenceRun): boolean {
    if (slot.run !== run) return true;
    if (run.failure !== undefined) this.#leave(slot, () => run.fail(requestFailure(run.failure)));
    else if (run.stopped) this.#leave(slot, () => run.finish('stopped'));
    return slot.run !== run;
  }

  #guesser(slot: Slot, run: SequenceRun): Guesser | undefined {
    return run.job.steered ? undefined : this.#guessers[slot.id];
  }

  readonly #isEnd = (token: number): boolean => this.#options.tools.model.isEogToken(token);

  #take(slot: Slot, run: SequenceRun, { end, tokens, guesses }: Sampled): void {
    run.generated(tokens, guesses);
    if (!end) {
      if (run.full) this.#end(slot, run);
      return;
    }
    giveToRequest(run);
    this.#leave(slot, () => run.finish(run.stopped ? 'stopped' : end));
  }

  /** The budget is used up: the last token is delivered without waiting for a decode that will not come. */
  #end(slot: Slot, run: SequenceRun): void {
    giveToRequest(run);
    this.#leave(slot, () => run.finish(run.stopped ? 'stopped' : 'length'));
  }

  /** Nothing is given to those who have gone. */
  #deliver(): void {
    for (const { run } of this.#options.slots)
      if (run && run.undelivered.length > 0 && !run.job.signal.aborted) giveToRequest(run);
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

/** So little later nobody sees text come: frames of a stream are gathered for as long. */
const quickStepMs = 25;
const firstTokens = 3;

/**
 * Counting a step costs 5 µs in a row of steps, and 65 by itself: a decode step leaves nothing in the caches. Whatever
 * this thread does meanwhile is taken from the threads that decode. Slow steps are counted one by one: 16 of them may be
 * many seconds.
 */
const reportEvery = 16;

function drawOf({ run, logits }: Participant): Draw {
  return () => run.sampler?.sample(logits[0] ?? 0) ?? Promise.resolve(noToken);
}

function stopped(): ServeError {
  return new ServeError('engine_failure', 'The model was unloaded while this request was running.');
}

function requestFailure(error: unknown): ServeError {
  if (error instanceof ServeError) return error;
  return new ServeError('engine_failure', 'The model failed on this request.', {}, { cause: error });
}
