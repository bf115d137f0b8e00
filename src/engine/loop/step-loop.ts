import { ServeError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/services.ts';
import type { Directive } from '../engine.ts';
import { reusablePrefix } from '../prefix.ts';
import { type RunDirectives, type StepReport, toWire, type WireJob } from '../remote/protocol.ts';
import { Deliveries } from './deliveries.ts';
import type { MediaSteps } from './media-steps.ts';
import { NoNumbersError } from './no-numbers.ts';
import type { Outbox } from './outbox.ts';
import { LoopRun } from './run.ts';
import type { RunSampling } from './run-sampler.ts';
import { readPromptLogprobs, type Sampled, sampleKept, sampleTokens } from './sample-tokens.ts';
import type { Slot } from './slot.ts';
import type { Guesser, GuesserFactory } from './speculation.ts';
import { count, type Participant, StepBatch, type StepBatchParts } from './step-batch.ts';

export interface StepLoopOptions extends StepBatchParts {
  /** What samples for a run. Throws ServeError where its wishes cannot be met. */
  readonly samplerOf: (job: WireJob) => RunSampling;
  readonly isEndOfGeneration: (token: number) => boolean;
  readonly clock: Clock;
  readonly outbox: Outbox;
  /** undefined: the model sees none. */
  readonly media: Pick<MediaSteps, 'due' | 'advance' | 'free'> | undefined;
  /** A slot's memory holds values that are no numbers: it is emptied of them, and the other slots keep theirs. */
  readonly wipe: (slot: Slot) => void;
  /** Speculative decoding; undefined: one token a step. */
  readonly guessers: GuesserFactory | undefined;
  readonly onStep: (report: StepReport) => void;
  /** Waits a moment, some milliseconds at most, for what these requests say, until all have. */
  readonly waitForAnswers: (answered: () => boolean) => void;
}

/**
 * The one owner of the native context; every call is synchronous, and between two of them nothing changes. A step: (1)
 * plan-step decides the batch; (2) one llama_decode; (3) the tokens of all runs are sampled and told in one message, and
 * while the next step is decoded their requests work on the text, elsewhere. What a request says to a token (stop, force,
 * grammar) is known before its next one counts: a steered run's next token is sampled after the answer, and of any other
 * run what came after a stop is thrown away by whoever hears of it.
 */
export class StepLoop {
  readonly #options: StepLoopOptions;
  readonly #batch: StepBatch;
  readonly #guessers: readonly (Guesser | undefined)[];
  /** Runs by their number. */
  readonly #runs = new Map<number, Slot>();
  readonly #deliveries = new Deliveries();
  #toldAt = Number.NEGATIVE_INFINITY;
  /** Somebody waits for the tokens that are to be told. */
  #isAwaited = false;

  constructor(options: StepLoopOptions) {
    const { slots, guessers } = options;
    this.#options = options;
    this.#batch = new StepBatch(options);
    this.#guessers = slots.map(({ id }) => guessers?.(id));
  }

  join(id: number, job: WireJob): void {
    const { outbox, samplerOf, clock } = this.#options;
    const slot = this.#options.slots[job.slot];
    try {
      if (!slot) throw new ServeError('internal', `There is no slot ${job.slot}.`);
      if (slot.run) throw new ServeError('internal', `Slot ${job.slot} is in use.`);
      const cachedTokens = this.#prepare(slot, job);
      outbox.admitted(id, slot.id, cachedTokens);
      const facts = { cachedTokens, stops: slot.stops(job), held: () => slot.tokens.length };
      slot.run = new LoopRun(id, job, facts, samplerOf(job), clock);
      this.#runs.set(id, slot);
    } catch (error) {
      outbox.ended({ run: id, error: toWire(requestFailure(error)) });
    }
  }

  /** Cuts the slot to what the prompt can reuse. */
  #prepare(slot: Slot, job: WireJob): number {
    const reusable = reusablePrefix(slot, job);
    slot.adapters = job.adapters ?? [];
    try {
      slot.cut(reusable);
      return reusable;
    } catch {
      // Whatever became of the old state, an empty slot can serve the request.
      slot.clear();
      return 0;
    }
  }

  abort(id: number): void {
    this.#end(id, (run) => ({
      run: run.id,
      error: toWire(new ServeError('cancelled', 'The request was given up.')),
    }));
  }

  pause(id: number): void {
    this.#change(id, (run) => {
      run.paused = true;
    });
  }

  resume(id: number): void {
    this.#change(id, (run) => {
      run.paused = false;
    });
  }

  /** What the requests said to the tokens of a step; those held say it later. */
  answered(step: number, said: readonly RunDirectives[], held: readonly number[] = []): void {
    for (const run of this.#deliveries.answered(step, held)) {
      if (this.#runs.get(run.id)?.run !== run) continue;
      this.#obey(run, said.find((each) => each.run === run.id)?.directives ?? []);
    }
  }

  answeredLate(step: number, { run: id, directives }: RunDirectives): void {
    const run = this.#deliveries.answeredLate(step, id);
    if (run && this.#runs.get(id)?.run === run) this.#obey(run, directives);
  }

  #obey(run: LoopRun, directives: readonly Directive[]): void {
    try {
      if (run.answered(directives)) this.#end(run.id, () => ({ run: run.id, result: run.result('stopped') }));
    } catch (error) {
      this.#fail(run, error);
    }
  }

  /** True when there was something to do. */
  step(): boolean {
    this.#sampleHeldBack();
    const shares = this.#batch.plan();
    if (shares.length === 0) {
      if (this.#stepMedium(false)) return true;
      this.tellAll({ resting: true });
      return false;
    }
    const startedAt = this.#options.clock();
    const participants = this.#batch.fill(shares);
    if (!this.#batch.decode(participants)) return true;
    for (const participant of participants) count(participant);
    const late = participants.filter(({ run }) => !run.maySample);
    for (const participant of participants) if (!late.includes(participant)) this.#advance(participant);
    this.#report(participants, this.#options.clock() - startedAt);
    this.#tell();
    this.#advanceSteered(late);
    this.#stepMedium(true);
    return true;
  }

  /** Between two steps: a piece of a medium's encoding, or its rows. False: no run waits for one. */
  #stepMedium(othersWait: boolean): boolean {
    const due = this.#options.media?.due;
    if (!due) return false;
    const startedAt = this.#options.clock();
    try {
      const done = this.#options.media?.advance(due, othersWait);
      if (!done) return true;
      const { slot, run, rows: tokens, place } = done;
      const before = slot.tokens.length - tokens;
      const places = place === undefined ? [] : [place];
      const participant = { slot, run, share: { slot: slot.id, tokens }, before, readsPrompt: true, places };
      this.#advance(participant);
      this.#report([participant], this.#options.clock() - startedAt);
    } catch (error) {
      this.#fail(due.run, error);
    }
    this.#tell();
    return true;
  }

  /** Every run ends with the error; nothing is to be called afterwards but `free`. */
  failAll(error: unknown): void {
    const { slots } = this.#options;
    for (const { run } of slots) if (run) this.#end(run.id, () => ({ run: run.id, error: toWire(error) }));
    this.tellAll();
  }

  free(): void {
    this.#options.media?.free();
    this.#options.machine.free();
  }

  get idle(): boolean {
    return this.#options.slots.every(({ run }) => run === undefined);
  }

  #report(participants: readonly Participant[], ms: number): void {
    let prefillTokens = 0;
    let decodeTokens = 0;
    for (const { share, readsPrompt } of participants) {
      if (readsPrompt) prefillTokens += share.tokens;
      else decodeTokens += share.tokens;
    }
    this.#options.onStep({ prefillTokens, decodeTokens, sequences: participants.length, ms });
  }

  /** After the decode: the run's next token, or its end. */
  #advance({ slot, run, share, places }: Participant): void {
    try {
      if (run.prefilling && readPromptLogprobs(run, share.tokens, places)) {
        this.#options.outbox.add('promptLogprobs', { run: run.id, tokens: run.promptLogprobs ?? [] });
      }
      if (run.atStop) slot.takeCheckpoint();
      if (run.waiting > 0) return;
      this.#takeNext(run, () => {
        const last = run.prefilling ? places.slice(-1) : places;
        const { isEndOfGeneration } = this.#options;
        const guesser = run.job.steered ? undefined : this.#guessers[slot.id];
        return sampleTokens(run, last, { slot, guesser, isEndOfGeneration });
      });
    } catch (error) {
      this.#fail(run, error);
    }
  }

  /** Their answers are mostly here within a moment; what is late has its logits kept, and the others go on. */
  #advanceSteered(participants: readonly Participant[]): void {
    if (participants.length === 0) return;
    this.#options.waitForAnswers(() => participants.every(({ run }) => run.maySample));
    for (const participant of participants) {
      const { slot, run, places } = participant;
      const place = places.at(-1);
      // Another run's values that are no numbers may have set it back.
      if (slot.run !== run || run.waiting > 0) continue;
      if (run.maySample) this.#advance(participant);
      else if (place !== undefined && !run.prefilling) run.holdBack(this.#options.machine.logits(place));
    }
    this.#tell();
  }

  #sampleHeldBack(): void {
    for (const { run } of this.#options.slots) {
      const logits = run?.takeHeldBack();
      if (!run || !logits) continue;
      try {
        this.#takeNext(run, () => sampleKept(run, logits, this.#options.isEndOfGeneration));
      } catch (error) {
        this.#fail(run, error);
      }
    }
    this.#tell();
  }

  /** The end of the budget, what the request wants said next, or what is sampled. */
  #takeNext(run: LoopRun, sample: () => Sampled): void {
    const forced = run.full ? [] : run.takeForced();
    if (run.full) this.#finish(run, 'length');
    else this.#take(run, forced.length > 0 ? { tokens: forced, guesses: [], end: undefined } : sample());
  }

  #take(run: LoopRun, { tokens, guesses, end }: Sampled): void {
    run.generated(tokens, guesses);
    if (tokens.length > 0) {
      this.#options.outbox.deliver(run.id, tokens);
      this.#deliveries.add(run);
      if (run.job.steered || run.outputTokens <= firstTokens) this.#isAwaited = true;
    }
    if (end) this.#finish(run, end);
    // The budget is used up: the last token is not evaluated any more.
    else if (run.full) this.#finish(run, 'length');
  }

  #finish(run: LoopRun, reason: 'length' | NonNullable<Sampled['end']>): void {
    this.#end(run.id, () => ({ run: run.id, result: run.result(reason) }));
  }

  /** One request's failure never takes its neighbours down. */
  #fail(run: LoopRun, error: unknown): void {
    if (error instanceof NoNumbersError && this.#triesAgain(run)) return;
    this.#end(run.id, () => ({ run: run.id, error: toWire(requestFailure(error)) }));
  }

  /** Whoever had the slot before may have left them there: without that, what the run says is tried once more. */
  #triesAgain(run: LoopRun): boolean {
    const slot = this.#runs.get(run.id);
    if (!slot) return false;
    const held = [...slot.tokens];
    this.#options.wipe(slot);
    if (run.triedAgain) return false;
    run.triedAgain = true;
    run.readAgain(held);
    return true;
  }

  #end(id: number, end: (run: LoopRun) => Parameters<Outbox['ended']>[0]): void {
    const slot = this.#runs.get(id);
    const run = slot?.run;
    if (!slot || !run || run.id !== id) return;
    this.#runs.delete(id);
    slot.run = undefined;
    const medium = run.mediumUnderWay;
    if (medium) slot.leaveMedium(medium.start);
    this.#options.outbox.ended(end(run));
    run.sampler.free();
  }

  #change(id: number, change: (run: LoopRun) => void): void {
    const run = this.#runs.get(id)?.run;
    if (run?.id === id) change(run);
  }

  /** Everything that happened up to now. */
  tellAll(how?: { readonly resting: boolean }): void {
    const step = this.#options.outbox.flush(how);
    this.#toldAt = this.#options.clock();
    this.#isAwaited = false;
    if (step !== undefined) this.#deliveries.sent(step);
  }

  /**
   * A message costs this thread and the server's 0.1 ms each, which on small models is a tenth of a step; and where ggml's
   * threads have all cores, the server's takes one from them. So tokens that nobody waits for are gathered for a moment.
   */
  #tell(): void {
    const awaited = this.#isAwaited || this.#options.outbox.isUrgent;
    if (awaited || this.#options.clock() - this.#toldAt >= gatherMs) this.tellAll();
  }
}

/** Milliseconds. A stop is heard so much later: what was sampled meanwhile is thrown away. */
const gatherMs = 10;
const firstTokens = 3;

function requestFailure(error: unknown): ServeError {
  if (error instanceof ServeError) return error;
  return new ServeError('engine_failure', 'The model failed on this request.', {}, { cause: error });
}
