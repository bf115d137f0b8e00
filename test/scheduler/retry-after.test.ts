import { describe, expect, it } from 'vitest';
import type { Rates, Work } from '../../src/scheduler/waits.ts';
import { retryAfterSeconds } from '../../src/scheduler/waits.ts';

const work = (prefillTokens: number, decodeTokens: number): Work => ({ prefillTokens, decodeTokens });
const measured: Rates = { prefillRate: 500, decodeRate: 50 };

describe('Retry-After', () => {
  it.each<[string, readonly Work[], Rates, number]>([
    ['nothing ahead: the least there is', [], measured, 1],
    ['a little work is rounded up', [work(10, 10)], measured, 1],
    ['prefill and decode add up', [work(1000, 200)], measured, 6],
    ['requests add up', [work(1000, 200), work(500, 0), work(0, 25)], measured, 8],
    ['a machine twice as fast needs half the time', [work(1000, 200)], { prefillRate: 1000, decodeRate: 100 }, 3],
    ['rounded up to whole seconds', [work(0, 101)], measured, 3],
    [
      'assumed rates before the first measurement',
      [work(1000, 100)],
      { prefillRate: undefined, decodeRate: undefined },
      20,
    ],
    ['one measured rate, one assumed', [work(1000, 100)], { prefillRate: 500, decodeRate: undefined }, 12],
    ['a rate of zero is no measurement', [work(1000, 100)], { prefillRate: 0, decodeRate: Number.NaN }, 20],
    ['an hour at most', [work(0, 1_000_000)], measured, 3600],
  ])('%s', (_, ahead, rates, seconds) => {
    expect(retryAfterSeconds(ahead, rates)).toBe(seconds);
  });
});
