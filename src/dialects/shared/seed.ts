import { z } from 'zod';
import { optional, rule } from './validate.ts';

/** OpenAI's range: 64 bits with a sign. The end counts, because a double that is meant to lie before it is it. */
const limit = 2 ** 63;
/** llama.cpp's samplers take 32 bits, of which the highest number stands for "a random one", as -1 does in its API. */
const anyRandom = 2 ** 32 - 1;

/** Any 64-bit integer. The door has read those that JSON.parse would round, see http/bodies/exact-seeds.ts. */
export const seedField = optional(
  rule(
    z.number().meta({ type: 'integer', format: 'int64' }),
    (value) => Number.isInteger(value) && value >= -limit && value <= limit,
    'a whole number of at most 64 bits',
  ),
);

/** The 32 bits of a seed that the sampler is given. All ones would not seed it: the number below does instead. */
export function seedBits(seed: number | bigint): number {
  return Math.min(Number(BigInt.asUintN(32, BigInt(seed))), anyRandom - 1);
}

/** What seeds the sampler; undefined: a random one, which the answer tells. */
export function toSeed(seed: number | undefined): number | undefined {
  return seed === undefined || seed === -1 || seed === anyRandom ? undefined : seedBits(seed);
}

/** The seed of choice number `choice`: it counts up, so that choices differ and can be repeated. */
export function seedOfChoice(seed: number, choice: number): number {
  return (seed + choice) % anyRandom;
}
