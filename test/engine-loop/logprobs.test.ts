import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenLogprob } from '../../src/engine/loop/logprobs.ts';

const letter = (token: number) => Buffer.from(String.fromCharCode(97 + token));
const of = (logits: readonly number[], token: number, top: number) =>
  tokenLogprob(Float32Array.from(logits), token, top, letter);

describe('log probabilities', () => {
  it('are those of the softmax over all logits', () => {
    const [first, second] = [Math.log(3 / 4), Math.log(1 / 4)];
    const told = of([Math.log(3), 0], 1, 2);
    expect(told.logprob).toBeCloseTo(second, 6);
    expect(told.top.map(({ logprob }) => logprob)).toEqual([expect.closeTo(first, 6), expect.closeTo(second, 6)]);
  });

  it('tell token, text and bytes, the likeliest first and of equals the lower number', () => {
    const { top, ...told } = of([1, 5, 3, 5], 2, 3);
    expect(told).toEqual({ token: 2, text: 'c', bytes: [99], logprob: expect.any(Number) });
    expect(top.map(({ text }) => text)).toEqual(['b', 'd', 'c']);
  });

  it('show a part of a character as what it is', () => {
    const { text, bytes } = tokenLogprob(Float32Array.of(0), 0, 0, () => Uint8Array.of(0xe2, 0x82));
    expect([text, bytes]).toEqual(['\ufffd', [0xe2, 0x82]]);
  });

  it('are numbers for logits of any size, and of tokens that cannot come', () => {
    expect(of([30_000, 29_999], 1, 0).logprob).toBeCloseTo(Math.log(1 / (1 + Math.E)), 5);
    expect(of([-30_000, -30_000], 0, 0).logprob).toBeCloseTo(Math.log(1 / 2), 5);
    expect(of([0, Number.NEGATIVE_INFINITY], 1, 2)).toMatchObject({
      logprob: Number.NEGATIVE_INFINITY,
      top: [{ token: 0, logprob: 0 }, { token: 1 }],
    });
  });

  it('rank as a sort does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1 }), fc.nat(12), (logits, top) => {
        const sorted = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
        expect(of(logits, 0, top).top.map(({ token }) => token)).toEqual(sorted.slice(0, top));
      }),
    );
  });
});
