import { ServeError } from '../../contract/errors.ts';
import type { Exchange } from '../exchange.ts';

export interface InFlightSettings {
  /** Requests in the server at once, waiting ones included; undefined: no limit. */
  readonly maxInFlight: number | undefined;
  /** Of one person; undefined: no limit. */
  readonly streamsOf: (owner: string) => number | undefined;
}

/** The requests that are being worked on, from their admission to their last byte. */
export class InFlight {
  readonly #settings: InFlightSettings;
  readonly #running = new Set<Exchange>();

  constructor(settings: InFlightSettings) {
    this.#settings = settings;
  }

  /** Throws when there are too many already: overloaded for the server, rate_limited for the key. */
  enter(exchange: Exchange): void {
    const { maxInFlight, streamsOf } = this.#settings;
    const { owner } = exchange.caller;
    const streams = streamsOf(owner);
    const own = this.#countOf(owner);
    // One place is left for every other key: who has nothing under way gets in, beyond the limit too.
    if (maxInFlight !== undefined && this.#running.size >= maxInFlight && own > 0)
      throw new ServeError(
        'overloaded',
        `The server works on ${maxInFlight} requests already, which is its limit (--max-in-flight). Try again in a moment.`,
      );
    if (streams !== undefined && own >= streams)
      throw new ServeError(
        'rate_limited',
        `This key has ${streams} requests running, which is its limit (--max-streams-per-key or its own). Let one finish first.`,
      );
    this.#running.add(exchange);
    exchange.whenOver(() => this.#running.delete(exchange));
  }

  /** Oldest first. */
  list(): Exchange[] {
    return [...this.#running];
  }

  #countOf(owner: string): number {
    return this.list().filter(({ caller }) => caller.owner === owner).length;
  }
}
