import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entry, readEntries, sizeOf, writeGguf } from '../../scripts/bench/gguf.ts';
import { constant, randomWeights, toHalf } from '../../scripts/bench/random-tensors.ts';
import { RandomBits } from '../../src/bench/random-bits.ts';

describe('a benchmark model', () => {
  it('has scales that are 16-bit floats', () => {
    expect([1, 0.5, 1.5, 65_504, 2 ** -14].map(toHalf)).toEqual([0x3c00, 0x3800, 0x3e00, 0x7bff, 0x0400]);
    expect(() => toHalf(2 ** -15)).toThrow('no normal 16-bit float');
  });

  it('has weights around zero with the deviation that was asked for', () => {
    const readers = { Q4_0: nibbles, Q8_0: bytes } as const;
    for (const type of ['Q4_0', 'Q8_0'] as const) {
      const values = readers[type](randomWeights(new RandomBits(1), [256, 400], type, 0.02));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      expect(values.length).toBe(256 * 400);
      expect(Math.abs(mean)).toBeLessThan(0.0005);
      expect(deviation).toBeCloseTo(0.02, 3);
    }
  });

  it('is written with its entries and with tensors at aligned places', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-model-test-'));
    try {
      const path = join(folder, 'model.gguf');
      const entries = [entry('general.architecture', 'string', 'qwen2'), entry('qwen2.block_count', 'uint32', 2)];
      const tensors = [1, 2].map((value) => ({
        name: `t${value}`,
        shape: [3],
        type: 'F32' as const,
        data: () => constant([3], value),
      }));
      writeGguf(path, entries, tensors);
      const file = readFileSync(path);
      expect([...readEntries(file).keys()]).toEqual(['general.architecture', 'qwen2.block_count']);
      // Each tensor takes 12 bytes, padded to 32.
      const data = file.subarray(-64);
      expect([0, 4, 8, 12, 32, 36, 40].map((at) => data.readFloatLE(at))).toEqual([1, 1, 1, 0, 2, 2, 2]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes the bytes that its tensors’ types need', () => {
    expect([sizeOf([64, 2], 'Q4_0'), sizeOf([64, 2], 'Q8_0'), sizeOf([64, 2], 'F32')]).toEqual([72, 136, 512]);
  });
});

function fromHalf(bits: number): number {
  const size = (1 + (bits & 0x3ff) / 1024) * 2 ** (((bits >> 10) & 0x1f) - 15);
  return bits & 0x8000 ? -size : size;
}

function nibbles(blocks: Buffer): number[] {
  return blockStarts(blocks, 18).flatMap((at) =>
    [...blocks.subarray(at + 2, at + 18)].flatMap((byte) =>
      [(byte & 15) - 8, (byte >> 4) - 8].map((value) => value * fromHalf(blocks.readUInt16LE(at))),
    ),
  );
}

function bytes(blocks: Buffer): number[] {
  return blockStarts(blocks, 34).flatMap((at) =>
    Array.from({ length: 32 }, (_, index) => blocks.readInt8(at + 2 + index) * fromHalf(blocks.readUInt16LE(at))),
  );
}

function blockStarts(blocks: Buffer, size: number): number[] {
  return Array.from({ length: blocks.length / size }, (_, index) => index * size);
}
