import { ServeError } from '../../contract/errors.ts';
import type { Exchange } from '../exchange.ts';

export interface InFlightSettings {
  /** Requests in the server at once, waiting ones included; undefined: no limit. */
  readonly maxInFlight: number | undefined;
  readonly maxPerKey: number | undefined;
}

/** The requests that are being worked on, from their admission to their last byte. */
export class InFlight {
  readonly #settings: InFlightSettings;
  readonly #running = new Map<Exchange, string>();

  constructor(settings: InFlightSettings) {
    this.#settings = settings;
  }

  /** Throws when there are too many already: overloaded for the server, rate_limited for the key. */
  enter(exchange: Exchange, key: string): void {
    const { maxInFlight, maxPerKey } = this.#settings;
    if (maxInFlight !== undefined && this.#running.size >= maxInFlight)
      throw new ServeError(
        'overloaded',
        `The server works on ${maxInFlight} requests already, which is its limit (--max-in-flight). Try again in a moment.`,
      );
    if (maxPerKey !== undefined && this.#countOf(key) >= maxPerKey)
      throw new ServeError(
        'rate_limited',
        `This key has ${maxPerKey} requests running, which is its limit (--max-streams-per-key). Let one finish first.`,
      );
    this.#running.set(exchange, key);
    exchange.whenOver(() => this.#running.delete(exchange));
  }

  /** Oldest first. */
  list(): Exchange[] {
    return [...this.#running.keys()];
  }

  #countOf(key: string): number {
    return [...this.#running.values()].filter((other) => other === key).length;
  }
}
