import { createDeferred, type Deferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import { checkDirective } from '../check-job.ts';
import type { EngineJob, RunResult, TokenText } from '../engine.ts';

/** What the fake model does next. A step passes with each of them. */
export type Scripted =
  | number
  /** No token in this step, as if the sequence were slow. */
  | { readonly type: 'wait' }
  | { readonly type: 'end-of-generation' }
  | { readonly type: 'grammar-end' }
  | { readonly type: 'fail'; readonly error?: ServeError };

/** The next move of the model for a slot that holds `tokens`. */
export type FakeModel = (tokens: readonly number[], outputTokens: number) => Scripted;

export interface FakeSlot {
  readonly id: number;
  tokens: number[];
  phase: 'idle' | 'prefill' | 'decode';
  run: FakeRun | undefined;
}

interface RunOptions {
  readonly job: EngineJob;
  readonly slot: FakeSlot;
  readonly cachedTokens: number;
  readonly contextSize: number;
  readonly model: FakeModel;
  readonly text: TokenText;
  readonly clock: () => number;
}

/** One sequence: prompt pieces, then one token a step. The engine calls; nothing here waits. */
export class FakeRun {
  readonly done: Promise<RunResult>;
  readonly job: EngineJob;
  paused = false;
  readonly #options: RunOptions;
  readonly #settle: Deferred<RunResult> = createDeferred();
  readonly #limit: number;
  #forced: number[] = [];
  /** Sampled but not evaluated yet: goes into the slot with the next step. */
  #pending: number | undefined;
  #outputTokens = 0;
  #startedAt: number | undefined;
  #firstTokenAt: number | undefined;

  constructor(options: RunOptions) {
    this.done = this.#settle.promise;
    this.#options = options;
    this.job = options.job;
    this.#limit = Math.min(options.job.maxTokens, options.contextSize - options.job.prompt.length);
    options.slot.phase = 'prefill';
    options.slot.run = this;
  }

  get signal(): AbortSignal {
    return this.#options.job.signal;
  }

  /** Prompt tokens that are not evaluated yet; 0 while decoding. */
  get remaining(): number {
    const { job, slot } = this.#options;
    return slot.phase === 'prefill' ? job.prompt.length - slot.tokens.length : 0;
  }

  /** Evaluates `tokens` more of the prompt; the step that completes it also samples the first token. */
  prefill(tokens: number): void {
    const { job, slot, clock } = this.#options;
    this.#startedAt ??= clock();
    for (const token of job.prompt.slice(slot.tokens.length, slot.tokens.length + tokens)) slot.tokens.push(token);
    if (slot.tokens.length < job.prompt.length) return;
    slot.phase = 'decode';
    this.#giveLogprobsOfPrompt();
    if (this.#limit === 0) this.#finish('length');
    else this.#sample();
  }

  /** Returns how many tokens took part in the step. */
  decode(): number {
    if (this.#pending !== undefined) this.#options.slot.tokens.push(this.#pending);
    this.#pending = undefined;
    this.#sample();
    return 1;
  }

  fail(reason: unknown): void {
    this.#leave();
    this.#settle.reject(reason);
  }

  #sample(): void {
    const forced = this.#forced.shift();
    const move = forced ?? this.#options.model(this.#options.slot.tokens, this.#outputTokens);
    if (typeof move === 'number') {
      this.#give(move, forced !== undefined);
      return;
    }
    switch (move.type) {
      case 'wait':
        return;
      case 'end-of-generation':
      case 'grammar-end':
        this.#finish(move.type);
        return;
      case 'fail':
        this.fail(move.error ?? new ServeError('engine_failure', 'The engine failed to decode this sequence.'));
        return;
      default:
        move satisfies never;
    }
  }

  #give(token: number, forced: boolean): void {
    const { job, clock } = this.#options;
    this.#firstTokenAt ??= clock();
    this.#pending = token;
    this.#outputTokens++;
    const directive = job.onToken({
      token,
      forced,
      ...(job.logprobs && { logprob: this.#logprob(token, job.logprobs) }),
    });
    try {
      checkDirective(job, directive);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (directive.type === 'force') this.#forced = [...directive.tokens];
    if (directive.type === 'stop') this.#finish('stopped');
    else if (this.#outputTokens >= this.#limit) this.#finish('length');
  }

  #finish(reason: RunResult['reason']): void {
    const now = this.#options.clock();
    const first = this.#firstTokenAt ?? now;
    this.#leave();
    this.#settle.resolve({
      reason,
      outputTokens: this.#outputTokens,
      promptMs: first - (this.#startedAt ?? now),
      predictedMs: now - first,
    });
  }

  #leave(): void {
    this.#options.slot.phase = 'idle';
    this.#options.slot.run = undefined;
  }

  #giveLogprobsOfPrompt(): void {
    const { job } = this.#options;
    const wanted = job.promptLogprobs;
    if (!wanted) return;
    job.onPromptLogprobs?.(job.prompt.map((token, index) => (index === 0 ? undefined : this.#logprob(token, wanted))));
  }

  /** Probability 1/2 for the chosen token, 1/4, 1/8 ... for the ids after it. */
  #logprob(token: number, { top }: { readonly top: number }): TokenLogprob {
    const candidate = (id: number, halvings: number): TokenCandidate => {
      const bytes = this.#options.text.bytes(id);
      return { token: id, text: Buffer.from(bytes).toString(), bytes: [...bytes], logprob: halvings * Math.log(0.5) };
    };
    return {
      ...candidate(token, 1),
      top: Array.from({ length: top }, (_, index) => candidate((token + index) % 256, index + 1)),
    };
  }
}

/** The token after these: a letter that depends on every one of them. What the fake says when it has no script. */
export function letterAfter(tokens: readonly number[]): number {
  let hash = 17;
  for (const token of tokens) hash = (hash * 31 + token) % 1_000_003;
  return 97 + (hash % 26);
}
