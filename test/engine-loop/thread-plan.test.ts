import { describe, expect, it } from 'vitest';
import { lowerQuartile, median, severalThreads, threadCandidates } from '../../src/engine/thread-plan.ts';

describe('threads', () => {
  it.each([
    [2, 'batched'],
    [15, 'batched'],
    [16, 'prefill'],
    [512, 'prefill'],
  ] as const)('a batch of %d is a %s one', (tokens, kind) => {
    const plan = { single: 1, batched: 2, prefill: 3 };
    expect(severalThreads(plan, tokens)).toBe(plan[kind]);
  });

  it.each([
    [1, 1, [1]],
    [2, 1, [1, 2]],
    [2, 2, [2, 1]],
    [12, 6, [6, 12, 8, 4, 2, 1]],
    [4, 8, [4, 2, 1]],
  ])('on %d cores, %d of them physical, tries %j', (cores, physical, candidates) => {
    expect(threadCandidates(cores, physical)).toEqual(candidates);
  });

  it('takes quartiles that were measured', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(lowerQuartile([9, 1, 5, 3, 7])).toBe(3);
    expect(lowerQuartile([])).toBe(Number.POSITIVE_INFINITY);
  });
});
