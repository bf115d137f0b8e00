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

/** Work that runs or waits, and how many can run at once. */
interface Line {
  readonly running: readonly Work[];
  /** In the order in which they will run. */
  readonly waiting: readonly Work[];
  readonly slots: number;
}

/**
 * Milliseconds until each of those who wait gets a slot, as far as can be told: all that run share the engine evenly,
 * and whoever comes to its end makes room for the next. Undefined until both rates were measured.
 */
export function waitsMs({ running, waiting, slots }: Line, rates: Rates): readonly number[] | undefined {
  const { prefillRate, decodeRate } = rates;
  if (!prefillRate || !decodeRate) return undefined;
  const alone = ({ prefillTokens, decodeTokens }: Work) =>
    (prefillTokens / prefillRate + decodeTokens / decodeRate) * 1000;
  let now = 0;
  let left = running.map(alone);
  return waiting.map((work) => {
    while (left.length >= slots && left.length > 0) {
      const next = Math.min(...left);
      now += next * left.length;
      left = left.map((rest) => rest - next).filter((rest) => rest > 0);
    }
    left.push(alone(work));
    return Math.round(now);
  });
}
