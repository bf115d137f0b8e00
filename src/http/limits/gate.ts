import type { KeyLimits } from '../../contract/caller.ts';
import { defined } from '../../dialects/shared/defined.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { InFlight } from './in-flight.ts';
import { RateLimits } from './rate-limits.ts';

/** Where new work is counted: how much there is at once, and how much each key has used. */
export interface Gate {
  /** Rejects when a limit is reached. */
  enter(exchange: Exchange): Promise<void>;
  /** For the answer to a request that has come so far; none for the others, which were not counted. */
  headers(exchange: Exchange): Promise<Record<string, string>>;
  /** Work that is under way, oldest first. */
  running(): Exchange[];
}

export function createGate({
  settings,
  keyring,
  usage,
}: Pick<AppDependencies, 'settings' | 'keyring' | 'usage'>): Gate {
  const everybody = defined({
    streams: settings.maxStreamsPerKey,
    requestsPerMinute: settings.rateLimitRpm,
    tokensPerMinute: settings.rateLimitTpm,
  });
  const limitsOf = (owner: string): KeyLimits => ({ ...everybody, ...keyring().limitsOf(owner) });
  const inFlight = new InFlight({
    maxInFlight: settings.maxInFlight,
    streamsOf: (owner) => limitsOf(owner).streams,
  });
  const rates = new RateLimits(limitsOf, usage);
  const entered = new WeakSet<Exchange>();
  return {
    async enter(exchange) {
      const { owner } = exchange.caller;
      entered.add(exchange);
      await rates.take(owner);
      inFlight.enter(exchange);
      usage.began(owner);
      exchange.whenSpent((spent) => {
        usage.spent(owner, spent);
        void rates.spendTokens(owner, spent.inputTokens + spent.outputTokens);
      });
    },
    headers: async (exchange) => (entered.has(exchange) ? rates.headers(exchange.caller.owner) : {}),
    running: () => inFlight.list(),
  };
}
