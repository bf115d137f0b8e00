import { describe, expect, it } from 'vitest';
import { isMediaRow, mediaIds, mediaIn, outsideMedia } from '../../src/engine/media-ids.ts';
import { commonPrefix, reusablePrefix } from '../../src/engine/prefix.ts';

const hash = (seed: number) => Uint8Array.from({ length: 64 }, (_, at) => (at * 37 + seed * 101) % 256);
const image = (seed: number, rows = 4, advance = 0) => mediaIds(rows, hash(seed), advance);

describe('ids of an image', () => {
  it('lie above every vocabulary, fit 32 bits, and differ with the content', () => {
    for (const id of image(1, 16)) {
      expect(isMediaRow(id)).toBe(true);
      expect(id | 0).toBe(id);
    }
    expect(image(1)).toEqual(image(1));
    expect(image(1).every((id, at) => id !== image(2)[at])).toBe(true);
  });

  it('tell where images lie and how far positions move, also of two without anything between', () => {
    const tokens = [1, 2, ...image(1), ...image(2, 6, 3), 9];
    expect(mediaIn(tokens)).toEqual([
      { start: 2, rows: 4, advance: 4 },
      { start: 6, rows: 6, advance: 3 },
    ]);
  });

  it('are never cut in the middle', () => {
    const tokens = [1, ...image(1), 2];
    expect([0, 1, 2, 3, 4, 5, 6].map((at) => outsideMedia(tokens, at))).toEqual([0, 1, 1, 1, 1, 5, 6]);
  });

  it('are shared whole or not at all', () => {
    const one = [1, ...image(1), 2, 3];
    expect(commonPrefix(one, [1, ...image(1), 2, 4])).toBe(6);
    expect(commonPrefix(one, [1, ...image(1).slice(0, 2), ...image(2).slice(2)])).toBe(1);
    expect(commonPrefix(one, one.slice(0, 3))).toBe(1);
    const held = { tokens: one, cutPoints: undefined, adapters: [] };
    // One token at least is left to evaluate; here that would be an image's last row.
    expect(reusablePrefix(held, { prompt: [1, ...image(1)], reuse: 99 })).toBe(1);
    expect(reusablePrefix(held, { prompt: one, reuse: 3 })).toBe(1);
  });
});
