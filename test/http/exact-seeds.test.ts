import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toSeed } from '../../src/dialects/shared/seed.ts';
import { parseJson } from '../../src/http/bodies/json-guard.ts';

const parsed = (text: string) => parseJson(text, 64);

describe('a seed that a double cannot hold', () => {
  it.each([
    ['{"seed": 9007199254740993}', { seed: 1 }],
    ['{"seed":9223372036854775807}', { seed: 2 ** 32 - 2 }],
    ['{"seed" : -9223372036854775808 , "a": 1}', { seed: 0, a: 1 }],
    ['{"options":{"seed":9007199254740995},"model":"m"}', { options: { seed: 3 }, model: 'm' }],
    ['{"inputs":"x","parameters":{"seed":9007199254740997}}', { inputs: 'x', parameters: { seed: 5 } }],
    ['{"extra_body":{"seed":9007199254740999},"seed":1}', { extra_body: { seed: 7 }, seed: 1 }],
  ])('is read off the text: %s', (text, body) => {
    expect(parsed(text)).toEqual(body);
  });

  it.each([
    // Beyond 64 bits: its dialect sees it as it is.
    '{"seed": 9223372036854775808}',
    '{"seed": 99999999999999999999}',
    '{"seed": 9007199254740993.5}',
    '{"seed": "9007199254740993"}',
    '{"seed": [9007199254740993]}',
    // Not the request's own.
    '{"tools":[{"parameters":{"seed":9007199254740993}}]}',
    '{"messages":[{"seed":9007199254740993}]}',
    '{"content":"{\\"seed\\":9007199254740993}","seed":2}',
    '[{"seed":9007199254740993}]',
  ])('is left as JSON.parse has it elsewhere: %s', (text) => {
    expect(parsed(text)).toEqual(JSON.parse(text));
  });

  it('is its low 32 bits, for any 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.jsonValue(), (seed, other) => {
        const bits = Number(BigInt.asUintN(32, seed));
        const text = `{"other":${JSON.stringify(other)},"seed":${seed}}`;
        const { seed: read } = parsed(text) as { seed: number };
        expect(toSeed(read)).toBe(seed === -1n || seed === 2n ** 32n - 1n ? undefined : Math.min(bits, 2 ** 32 - 2));
      }),
    );
  });
});
