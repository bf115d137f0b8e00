import type { Rates, Work } from './retry-after.ts';

/** Work that runs or waits, and how many can run at once. */
export interface Line {
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
