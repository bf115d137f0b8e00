import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pixels } from '../../src/media/pixels.ts';
import { type Filter, resize, resizeInto } from '../../src/media/resize.ts';

/** Any bytes, the same in Python: ((i*i*31 + i*7919 + (i>>7)*101) % 256). */
function made(width: number, height: number): Pixels {
  const at = (index: number) => (index * index * 31 + index * 7919 + (index >> 7) * 101) % 256;
  return { width, height, bytes: Uint8Array.from({ length: width * height * 3 }, (_, index) => at(index)) };
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const filters: readonly Filter[] = ['bilinear', 'bicubic', 'lanczos'];

/** Of `Image.fromarray(made).resize(to, filter).tobytes()`, Pillow 12.3.0. */
const pillow: readonly [[number, number], [number, number], string[]][] = [
  [
    [64, 64],
    [32, 32],
    ['fcbcf9ea6cca3127', '2f506f039ca9d7b2', 'ed2fd6aadd38aee7'],
  ],
  [
    [37, 91],
    [96, 96],
    ['7f3f6df7b97916fa', '25380e4a6ef04aab', '3a15820fbea86f72'],
  ],
  [
    [1, 1],
    [16, 16],
    ['9dc755d80f179631', '9dc755d80f179631', '9dc755d80f179631'],
  ],
  [
    [300, 10],
    [48, 48],
    ['8e2f348ef94b0e34', '6368baeb70266a7f', 'dfb1f157d675de79'],
  ],
  [
    [5, 7],
    [64, 20],
    ['971890e3ea239414', 'e85152b47b3a0ad4', 'd3b3ba897fbf1940'],
  ],
  [
    [128, 128],
    [128, 40],
    ['4f19812a741ff354', '16b0ac8d051b4eb9', 'ad090f9874c986ea'],
  ],
  [
    [640, 480],
    [336, 336],
    ['9f4bd7cfd8794521', 'a9e523bbc4b4075e', '67fc3b0412d30f09'],
  ],
  [
    [97, 13],
    [13, 97],
    ['c1cf76814a43df8f', '5ad5061f3e06f244', '6b7ce9f5b3a7e1f3'],
  ],
  [
    [1000, 700],
    [27, 14],
    ['ac4ebdde436ad3fc', 'e3d8684c39578e81', '0abe4650667a3b1c'],
  ],
];

describe('resize', () => {
  it.each(pillow)('of %j to %j gives Pillow’s bytes', (from, to, digests) => {
    expect(filters.map((filter) => digest(resize(made(...from), ...to, filter).bytes))).toEqual(digests);
  });

  it('keeps proportions in the middle of a ground, and leaves an image of the size alone', () => {
    const ground = [1, 2, 3] as const;
    const wide = resizeInto(made(4, 2), 8, 8, 'bicubic', ground);
    const row = (line: number) => wide.bytes.subarray(line * 24, line * 24 + 3);
    expect([...row(1), ...row(6)]).toEqual([...ground, ...ground]);
    expect(wide.bytes.subarray(2 * 24, 6 * 24)).toEqual(resize(made(4, 2), 8, 4, 'bicubic').bytes);
    const same = made(8, 8);
    expect(resizeInto(same, 8, 8, 'bicubic', ground)).toBe(same);
  });
});
