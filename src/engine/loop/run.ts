import type { TokenLogprob } from '../../contract/events.ts';
import type { Clock } from '../../contract/services.ts';
import type { Directive, GeneratedToken, JobMedium, RunResult } from '../engine.ts';
import type { WireJob } from '../remote/protocol.ts';
import type { RunSampling } from './run-sampler.ts';

interface SlotFacts {
  /** Tokens of the prompt that the slot holds. */
  readonly cachedTokens: number;
  /** Prompt positions where a step ends so that a checkpoint can be taken, ascending. */
  readonly stops: readonly number[];
  /** Tokens that it holds now. */
  readonly held: () => number;
}

/**
 * Deliveries that a run may be ahead of what its request has said: text work that takes longer than a step, now and then,
 * holds nobody up. What was sampled after a stop is thrown away.
 */
const mostAhead = 4;

/** What was seen of a run last, and what comes next. */
export type RunState =
  /** It joined: steps read its prompt, piece by piece. */
  | { readonly kind: 'prefilling' }
  /** Tokens were sampled or forced: a step evaluates the last of them, and with it what is only guessed to follow. */
  | { readonly kind: 'decoding'; readonly guessed: readonly number[] }
  /** The last token was evaluated before its request had answered: its logits are kept until the answer is here. */
  | { readonly kind: 'held-back'; readonly logits: Float32Array };

/** One request on one slot, from joining the loop to its end. */
export class LoopRun {
  readonly id: number;
  readonly job: WireJob;
  readonly stops: readonly number[];
  readonly sampler: RunSampling;
  cachedTokens: number;
  /** Tokens to be evaluated next: the rest of the prompt, or what was generated last. */
  input: readonly number[];
  /** How far `input` has been evaluated. */
  position = 0;
  /** Steps in a row without a share. */
  starved = 0;
  paused = false;
  /** What gave no numbers was tried once more, with another memory. */
  triedAgain = false;
  outputTokens = 0;
  readonly promptLogprobs: (TokenLogprob | undefined)[] | undefined;
  #state: RunState = { kind: 'prefilling' };
  /** Directive `force`: comes next instead of a sampled token. */
  #forced: readonly number[] = [];
  /** Deliveries that its request has not answered yet. */
  #unanswered = 0;
  readonly #held: () => number;
  readonly #clock: Clock;
  readonly #startedAt: number;
  #firstTokenAt: number | undefined;
  #lastTokenAt: number | undefined;

  constructor(id: number, job: WireJob, slot: SlotFacts, sampler: RunSampling, clock: Clock) {
    this.id = id;
    this.job = job;
    this.stops = slot.stops;
    this.sampler = sampler;
    this.cachedTokens = slot.cachedTokens;
    this.input = [...job.prompt.subarray(slot.cachedTokens)];
    this.#held = slot.held;
    this.#clock = clock;
    this.#startedAt = clock();
    this.promptLogprobs = job.promptLogprobs ? [undefined] : undefined;
  }

  get state(): RunState {
    return this.#state;
  }

  get prefilling(): boolean {
    return this.#state.kind === 'prefilling';
  }

  /** The tail of `input` that is only guessed (speculative decoding). */
  get guessed(): readonly number[] {
    return this.#state.kind === 'decoding' ? this.#state.guessed : [];
  }

  /** Tokens that are still to be evaluated. */
  get waiting(): number {
    return this.input.length - this.position;
  }

  /** For what of its request it waits before it takes part in a step again. */
  get awaits(): 'resume' | 'answer' | undefined {
    if (this.paused) return 'resume';
    return this.#unanswered >= mostAhead || this.#state.kind === 'held-back' ? 'answer' : undefined;
  }

  /** What the next step may evaluate of it at most; 0 while it waits for its request. */
  get nextPiece(): number {
    if (this.awaits) return 0;
    const most = Math.min(this.waiting, this.#tokensToMedium());
    if (!this.prefilling) return most;
    const evaluated = this.cachedTokens + this.position;
    const stop = this.stops.find((at) => at > evaluated) ?? this.job.prompt.length;
    return Math.min(most, stop - evaluated);
  }

  /** Whose rows come next: they are evaluated apart from tokens. */
  get mediumDue(): JobMedium | undefined {
    if (this.paused) return undefined;
    const medium = this.#nextMedium();
    return medium && medium.start <= this.#held() ? medium : undefined;
  }

  /** Some of its rows are evaluated, not all. */
  get mediumUnderWay(): JobMedium | undefined {
    const medium = this.#nextMedium();
    return medium && medium.start < this.#held() ? medium : undefined;
  }

  #tokensToMedium(): number {
    const medium = this.#nextMedium();
    return medium ? Math.max(0, medium.start - this.#held()) : Number.POSITIVE_INFINITY;
  }

  #nextMedium(): JobMedium | undefined {
    if (!this.job.media) return undefined;
    const held = this.#held();
    return this.job.media.find(({ start, rows }) => start + rows > held);
  }

  /** Whether its next token may be sampled. A steered run hears first what is said to the last ones. */
  get maySample(): boolean {
    return !this.job.steered || this.#unanswered === 0;
  }

  /** What it waits with, once its token may be sampled. */
  takeHeldBack(): Float32Array | undefined {
    if (!this.maySample || this.#state.kind !== 'held-back') return undefined;
    const { logits } = this.#state;
    this.#state = { kind: 'decoding', guessed: [] };
    return logits;
  }

  holdBack(logits: Float32Array): void {
    this.#state = { kind: 'held-back', logits: logits.slice() };
  }

  /** Whether the prompt has been evaluated exactly up to a stop. */
  get atStop(): boolean {
    return this.prefilling && this.stops.includes(this.cachedTokens + this.position);
  }

  /** Whether the run ends with `length` as soon as what it has generated is delivered. */
  get full(): boolean {
    return this.outputTokens >= this.job.maxTokens;
  }

  /** Fewer guesses than planned fit into the batch. */
  dropGuessesAfter(tokens: number): void {
    if (this.guessed.length === 0) return;
    this.input = this.input.slice(0, tokens);
    this.#state = { kind: 'decoding', guessed: this.input.slice(1) };
  }

  /** The slot now holds `held` of the `before` tokens that it held before a batch: the rest is evaluated again. */
  rewind(tokens: readonly number[], held: number): void {
    const certain = this.input.slice(this.position, this.input.length - this.guessed.length);
    this.input = [...tokens.slice(held), ...certain];
    this.position = 0;
    if (this.prefilling) this.cachedTokens = held;
    if (!this.prefilling) this.#state = { kind: 'decoding', guessed: [] };
  }

  /** The slot holds nothing any more of these tokens, which are all that it held: they are evaluated again, but no guesses. */
  readAgain(tokens: readonly number[]): void {
    const guesses = Math.max(0, this.position - (this.input.length - this.guessed.length));
    this.rewind(tokens.slice(0, tokens.length - guesses), 0);
    if (this.prefilling) this.promptLogprobs?.splice(1);
  }

  /** What the request says to one delivery. True: it ends the run. */
  answered(directives: readonly Directive[]): boolean {
    this.#unanswered--;
    for (const directive of directives) {
      switch (directive.type) {
        case 'continue':
          break;
        case 'stop':
          return true;
        case 'force':
          this.#forced = directive.tokens;
          break;
        case 'grammar':
          this.sampler.setGrammar(this.#grammarText(directive.grammar));
          break;
        default:
          directive satisfies never;
      }
    }
    return false;
  }

  delivered(): void {
    this.#unanswered++;
  }

  #grammarText(grammar: string): string | undefined {
    if (grammar === 'off') return undefined;
    return grammar === 'own' ? this.job.grammar : grammar;
  }

  /** Forced tokens count like generated ones and never exceed the budget. */
  takeForced(): readonly GeneratedToken[] {
    const tokens = this.#forced.slice(0, this.job.maxTokens - this.outputTokens);
    this.#forced = [];
    for (const token of tokens) this.sampler.accept(token);
    return tokens.map((token) => ({ token, forced: true }));
  }

  /** These tokens were generated; the last of them, or all forced ones, are evaluated next, the guesses after them. */
  generated(tokens: readonly GeneratedToken[], guesses: readonly number[] = []): void {
    const last = tokens.at(-1);
    if (!last) return;
    this.#lastTokenAt = this.#clock();
    this.#firstTokenAt ??= this.#lastTokenAt;
    this.outputTokens += tokens.length;
    this.#state = { kind: 'decoding', guessed: guesses };
    this.input = last.forced ? tokens.map(({ token }) => token) : [last.token, ...guesses];
    this.position = 0;
  }

  result(reason: RunResult['reason']): RunResult {
    const first = this.#firstTokenAt ?? this.#clock();
    const last = this.#lastTokenAt ?? first;
    return {
      reason,
      outputTokens: this.outputTokens,
      promptMs: first - this.#startedAt,
      predictedMs: last - first,
    };
  }
}
