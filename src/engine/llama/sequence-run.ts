import { createDeferred, type Deferred } from '../../contract/deferred.ts';
import type { TokenLogprob } from '../../contract/events.ts';
import type { Clock } from '../../contract/services.ts';
import type { EngineRun, GeneratedToken, RunResult } from '../engine.ts';
import type { LoopJob } from '../remote-request.ts';
import type { RunSampler } from './run-sampler.ts';

interface SlotFacts {
  /** Tokens of the prompt that the slot holds. */
  readonly cachedTokens: number;
  readonly stops: readonly number[];
}

/** One request on one slot, from joining the loop to its end. Mutated by the step loop only. */
export class SequenceRun implements EngineRun {
  readonly job: LoopJob;
  /** Prompt positions where a step ends so that a checkpoint can be taken, ascending. */
  readonly stops: readonly number[];
  cachedTokens: number;
  readonly done: Promise<RunResult>;
  /** Tokens to be evaluated next: the rest of the prompt, or what was generated last. */
  input: readonly number[];
  /** How far `input` has been evaluated. */
  position = 0;
  prefilling = true;
  /** Steps in a row without a share. */
  starved = 0;
  paused = false;
  /** A directive ended the run: what is in flight is discarded. */
  stopped = false;
  /** What a request in another process says to the tokens delivered last is known when this settles. */
  reply: Promise<void> | undefined;
  /** It has left its slot. */
  over = false;
  /** What a directive asked for could not be done. */
  failure: unknown;
  /** Directive `force`: comes next instead of a sampled token. */
  forced: readonly number[] = [];
  /** Generated, not yet given to onToken. */
  undelivered: GeneratedToken[] = [];
  outputTokens = 0;
  sampler: RunSampler | undefined;
  /** The tail of `input` that is only guessed (speculative decoding). */
  guessed: readonly number[] = [];
  promptLogprobs: (TokenLogprob | undefined)[] | undefined;

  readonly #clock: Clock;
  readonly #wake: () => void;
  #startedAt: number | undefined;
  #firstTokenAt: number | undefined;
  #lastTokenAt: number | undefined;
  readonly #settle: Deferred<RunResult> = createDeferred();

  constructor(job: LoopJob, slot: SlotFacts, clock: Clock, wake: () => void) {
    const { cachedTokens, stops } = slot;
    this.job = job;
    this.cachedTokens = cachedTokens;
    this.stops = stops;
    this.input = job.prompt.slice(cachedTokens);
    this.#clock = clock;
    this.#wake = wake;
    this.done = this.#settle.promise;
    if (job.promptLogprobs) this.promptLogprobs = [undefined];
  }

  /** Fewer guesses than planned fit into the batch. */
  dropGuessesBehind(tokens: number): void {
    if (this.guessed.length === 0) return;
    this.input = this.input.slice(0, tokens);
    this.guessed = this.input.slice(1);
  }

  get waiting(): number {
    return this.input.length - this.position;
  }

  /** What the next step may evaluate of it at most. */
  get nextPiece(): number {
    if (!this.prefilling) return this.waiting;
    const evaluated = this.cachedTokens + this.position;
    const stop = this.stops.find((at) => at > evaluated) ?? this.job.prompt.length;
    return Math.min(this.waiting, stop - evaluated);
  }

  /** Whether the prompt has been evaluated exactly up to a stop. */
  get atStop(): boolean {
    return this.prefilling && this.stops.includes(this.cachedTokens + this.position);
  }

  /** The slot could not keep what it held: the whole prompt is evaluated. */
  forgetCached(): void {
    this.cachedTokens = 0;
    this.input = this.job.prompt;
  }

  /** Whether the run ends with `length` as soon as what it has generated is delivered. */
  get full(): boolean {
    return this.outputTokens >= this.job.maxTokens;
  }

  /** Whether the token behind a decode may be drawn before the request has heard of the last one. */
  get drawsAhead(): boolean {
    const { job, guessed, forced, full } = this;
    return !job.steered && !job.promptLogprobs && !full && guessed.length === 0 && forced.length === 0;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#wake();
  }

  started(): void {
    this.#startedAt ??= this.#clock();
  }

  /** These tokens were generated; the last of them, or all forced ones, are evaluated next, the guesses behind them. */
  generated(tokens: readonly GeneratedToken[], guesses: readonly number[] = []): void {
    const last = tokens.at(-1);
    if (!last) return;
    this.#lastTokenAt = this.#clock();
    this.#firstTokenAt ??= this.#lastTokenAt;
    this.outputTokens += tokens.length;
    this.undelivered.push(...tokens);
    this.guessed = guesses;
    this.input = last.forced ? tokens.map(({ token }) => token) : [last.token, ...guesses];
    this.position = 0;
    this.prefilling = false;
  }

  finish(reason: RunResult['reason']): void {
    this.over = true;
    const started = this.#startedAt ?? this.#clock();
    const first = this.#firstTokenAt ?? this.#clock();
    const last = this.#lastTokenAt ?? first;
    this.sampler?.dispose();
    this.#settle.resolve({
      reason,
      outputTokens: this.outputTokens,
      promptMs: first - started,
      predictedMs: last - first,
    });
  }

  fail(reason: unknown): void {
    this.over = true;
    this.sampler?.dispose();
    this.#settle.reject(reason);
  }
}
