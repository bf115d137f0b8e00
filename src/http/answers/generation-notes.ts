import type { FinishEvent } from '../../contract/events.ts';
import type { Exchange } from '../exchange.ts';
import type { ChoiceEvent } from './choices.ts';

/** What a generation's events say for the log line, while it runs and at its end; times are those of the first choice. */
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
      const { model, inputTokens, cachedTokens } = event;
      this.#exchange.note({ inputTokens, cachedTokens, ...(model !== undefined && { model }) });
    } else if (event.type === 'finish') {
      this.#finishes.push(event);
      this.#exchange.note({
        outcome: event.cancelled ? 'cancelled' : event.reason,
        queueMs: Math.max(...this.#finishes.map(({ timings }) => timings.queueMs)),
      });
    }
  }
}
