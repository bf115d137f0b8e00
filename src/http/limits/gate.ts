import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { InFlight } from './in-flight.ts';
import { RateLimits } from './rate-limits.ts';

/** Where new work is counted: how much there is at once, and how much each key has used. */
export interface Gate {
  /** Throws when a limit is reached. */
  enter(exchange: Exchange, key: string): void;
  /** For the answer to that key. */
  headers(key: string): Record<string, string>;
  /** Work that is under way, oldest first. */
  running(): Exchange[];
}

export function createGate({ settings, clock }: Pick<AppDependencies, 'settings' | 'clock'>): Gate {
  const inFlight = new InFlight({ maxInFlight: settings.maxInFlight, maxPerKey: settings.maxStreamsPerKey });
  const rates = new RateLimits(
    { requestsPerMinute: settings.rateLimitRpm, tokensPerMinute: settings.rateLimitTpm },
    clock,
  );
  return {
    enter(exchange, key) {
      rates.take(key);
      inFlight.enter(exchange, key);
      exchange.whenOver(({ inputTokens = 0, outputTokens = 0 }) => rates.spendTokens(key, inputTokens + outputTokens));
    },
    headers: (key) => rates.headers(key),
    running: () => inFlight.list(),
  };
}
