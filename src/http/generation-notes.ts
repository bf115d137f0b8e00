import type { FinishEvent } from '../contract/events.ts';
import type { ChoiceEvent } from './choices.ts';
import type { Exchange } from './exchange.ts';

/** What a generation's events say for the log line: tokens of all choices together, times of the first. */
export class GenerationNotes {
  readonly #exchange: Exchange;
  readonly #finishes: FinishEvent[] = [];
  #sawToken = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  observe({ event }: ChoiceEvent): void {
    if (event.type === 'block-delta') {
      if (this.#sawToken) return;
      this.#sawToken = true;
      this.#exchange.note({ firstTokenMs: this.#exchange.sinceStart() });
    } else if (event.type === 'start') {
      this.#exchange.note({ inputTokens: event.inputTokens, cachedTokens: event.cachedTokens });
    } else if (event.type === 'finish') {
      this.#finishes.push(event);
      this.#exchange.note({
        outcome: event.cancelled ? 'cancelled' : event.reason,
        outputTokens: this.#finishes.reduce((sum, { usage }) => sum + usage.outputTokens, 0),
        queueMs: Math.max(...this.#finishes.map(({ timings }) => timings.queueMs)),
      });
    }
  }
}
