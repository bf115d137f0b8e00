import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { InFlight } from './in-flight.ts';
import { RateLimits } from './rate-limits.ts';

/** Where new work is counted: how much there is at once, and how much each key has used. */
export interface Gate {
  /** Rejects when a limit is reached. */
  enter(exchange: Exchange, key: string): Promise<void>;
  /** For the answer to a request that has come so far; none for the others, whose key may be made up. */
  headers(exchange: Exchange): Promise<Record<string, string>>;
  /** Work that is under way, oldest first. */
  running(): Exchange[];
}

export function createGate({ settings }: Pick<AppDependencies, 'settings'>): Gate {
  const inFlight = new InFlight({ maxInFlight: settings.maxInFlight, maxPerKey: settings.maxStreamsPerKey });
  const rates = new RateLimits({ requestsPerMinute: settings.rateLimitRpm, tokensPerMinute: settings.rateLimitTpm });
  const keys = new WeakMap<Exchange, string>();
  return {
    async enter(exchange, key) {
      keys.set(exchange, key);
      await rates.take(key);
      inFlight.enter(exchange, key);
      exchange.whenOver(({ inputTokens = 0, outputTokens = 0 }) => {
        void rates.spendTokens(key, inputTokens + outputTokens);
      });
    },
    async headers(exchange) {
      const key = keys.get(exchange);
      return key === undefined ? {} : rates.headers(key);
    },
    running: () => inFlight.list(),
  };
}
