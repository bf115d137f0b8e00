import type { FinishEvent, Timings, Usage } from '../contract/events.ts';

type RoundUsage = Omit<Usage, 'rounds'>;
export type Ending = Pick<FinishEvent, 'reason'> & Partial<Pick<FinishEvent, 'cancelled' | 'callLimit' | 'stopString'>>;

/** What all rounds of one answer have used, and what is left to the next one. */
export class ToolAccount {
  readonly #maxTokens: number;
  readonly #maxMs: number;
  readonly #rounds: RoundUsage[] = [];
  #timings: Timings = { queueMs: 0, promptMs: 0, predictedMs: 0 };
  #warnings: readonly string[];
  #seed = 0;
  #spentMs = 0;

  /** `maxTokens` as the request has it, -1 for the rest of the context. */
  constructor(maxTokens: number, maxMs: number, warnings: readonly string[]) {
    this.#maxTokens = maxTokens;
    this.#maxMs = maxMs;
    this.#warnings = warnings;
  }

  /** A round is over, which took so long on its slot. */
  add({ usage, timings, warnings = [], seed }: FinishEvent, milliseconds: number): void {
    // One that was ended before it had a slot has read nothing.
    if (usage.inputTokens > 0) this.#rounds.push(usage);
    if (this.#rounds.length < 2) this.#seed = seed;
    this.#spentMs += milliseconds;
    this.#warnings = [...new Set([...this.#warnings, ...warnings])];
    this.#timings = {
      queueMs: this.#timings.queueMs + timings.queueMs,
      promptMs: this.#timings.promptMs + timings.promptMs,
      predictedMs: this.#timings.predictedMs + timings.predictedMs,
    };
  }

  /** Of the first round, which all later ones use too: the answer can be repeated. */
  get seed(): number {
    return this.#seed;
  }

  get rounds(): number {
    return this.#rounds.length;
  }

  /** -1: as many as the context has. */
  get tokensLeft(): number {
    return this.#maxTokens < 0 ? -1 : Math.max(0, this.#maxTokens - this.#usage().outputTokens);
  }

  get msLeft(): number {
    return this.#maxMs - this.#spentMs;
  }

  finish(ending: Ending): FinishEvent {
    const { reason, cancelled, callLimit, stopString } = ending;
    return {
      type: 'finish',
      reason,
      ...(cancelled && { cancelled }),
      ...(callLimit && { callLimit }),
      ...(stopString !== undefined && { stopString }),
      usage: this.#rounds.length > 1 ? { ...this.#usage(), rounds: this.#rounds } : this.#usage(),
      timings: this.#timings,
      seed: this.#seed,
      ...(this.#warnings.length > 0 && { warnings: this.#warnings }),
    };
  }

  #usage(): RoundUsage {
    const last = this.#rounds.at(-1);
    const sum = (count: (round: RoundUsage) => number) =>
      this.#rounds.reduce((total, round) => total + count(round), 0);
    return {
      inputTokens: last?.inputTokens ?? 0,
      cachedTokens: last?.cachedTokens ?? 0,
      outputTokens: sum(({ outputTokens }) => outputTokens),
      reasoningTokens: sum(({ reasoningTokens }) => reasoningTokens),
    };
  }
}
