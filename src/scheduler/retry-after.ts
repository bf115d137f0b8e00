import type { EngineStats } from '../engine/engine.ts';

/** Tokens that are still to be computed for one request. */
export interface Work {
  readonly prefillTokens: number;
  readonly decodeTokens: number;
}

export type Rates = Pick<EngineStats, 'prefillRate' | 'decodeRate'>;

/** Tokens per second that are assumed until the engine has measured its own: a small model on a slow machine. */
export const assumedRates = { prefillRate: 100, decodeRate: 10 } as const;

const longest = 3600;

/**
 * Whole seconds, 1 to 3600, until the work ahead is done at the measured rates. The rates are those of the whole
 * engine, all slots together, so the work simply adds up.
 */
export function retryAfterSeconds(ahead: readonly Work[], rates: Rates): number {
  const prefillRate = usable(rates.prefillRate) ?? assumedRates.prefillRate;
  const decodeRate = usable(rates.decodeRate) ?? assumedRates.decodeRate;
  const seconds = ahead.reduce(
    (sum, { prefillTokens, decodeTokens }) => sum + prefillTokens / prefillRate + decodeTokens / decodeRate,
    0,
  );
  return Math.min(longest, Math.max(1, Math.ceil(seconds)));
}

function usable(rate: number | undefined): number | undefined {
  return rate !== undefined && Number.isFinite(rate) && rate > 0 ? rate : undefined;
}
