import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { seedField, seedOfChoice, toSeed } from '../../../src/dialects/shared/seed.ts';
import { validate } from '../../../src/dialects/shared/validate.ts';

const schema = z.object({ seed: seedField });
const read = (seed: unknown) => toSeed(validate(schema, { seed }).seed);

describe('a seed', () => {
  it.each<[unknown, number | undefined]>([
    [0, 0],
    [7, 7],
    [2 ** 31, 2 ** 31],
    [2 ** 32 - 2, 2 ** 32 - 2],
    [2 ** 32, 0],
    [2 ** 32 + 5, 5],
    [2 ** 53 - 1, 2 ** 32 - 2],
    [2 ** 63, 0],
    [2 ** 62, 0],
    [-2, 2 ** 32 - 2],
    [-(2 ** 63), 0],
    [-1, undefined],
    [2 ** 32 - 1, undefined],
    [null, undefined],
    [undefined, undefined],
  ])('of %d seeds the sampler with %d', (seed, bits) => {
    expect(read(seed)).toBe(bits);
  });

  it.each([1.5, '7', 2 ** 65, -(2 ** 65)])('is refused where it is no 64-bit integer: %j', (seed) => {
    expect(() => read(seed)).toThrow(expect.objectContaining({ code: 'invalid_request', details: { param: 'seed' } }));
  });

  it('counts up from choice to choice, past the one that would be drawn', () => {
    expect([0, 1, 2].map((choice) => seedOfChoice(2 ** 32 - 3, choice))).toEqual([2 ** 32 - 3, 2 ** 32 - 2, 0]);
  });
});
