import { describe, expect, it } from 'vitest';
import type { ContextWish } from '../../src/contract/load-wish.ts';
import { chooseContext, reserveOf, type WeighedModel } from '../../src/models/default-context.ts';
import { openWish as nothing } from './open-wish.ts';

const gigabyte = 1e9;
const prefixCache = 512 * 1024 * 1024;

/** 36 layers of 8 heads of 128: 147,456 bytes a token, as Qwen3 with 4 or 8 billion parameters has. */
const model = (change: Partial<WeighedModel> = {}): WeighedModel => ({
  id: 'm',
  architecture: 'qwen3',
  sizeBytes: 2.5 * gigabyte,
  trainedContextSize: 262_144,
  metadata: {
    'qwen3.block_count': 36,
    'qwen3.embedding_length': 2560,
    'qwen3.attention.head_count': 32,
    'qwen3.attention.head_count_kv': 8,
    'qwen3.attention.key_length': 128,
    'qwen3.attention.value_length': 128,
  },
  ...change,
});

/** What a machine of so many gigabytes chooses, a tenth of whose memory is in use. */
const onMachine = (gigabytes: number, wish: Partial<ContextWish> = {}, change: Partial<WeighedModel> = {}) => {
  const total = gigabytes * gigabyte;
  return chooseContext(model(change), { ...nothing, ...wish }, { total, available: total * 0.9, prefixCache });
};

describe('reserveOf', () => {
  it('is 15 % of the machine, and at least 1 GB', () => {
    expect([4, 16, 100].map((size) => reserveOf(size * gigabyte) / gigabyte)).toEqual([1, 2.4, 15]);
  });
});

describe('chooseContext', () => {
  it.each<[string, number, number, number, boolean]>([
    ['all that is given by default', 64, 32_768, 4, false],
    ['a shorter context, where that is too much', 24, 24_576, 4, true],
    ['8k in every slot', 12, 8192, 4, true],
    ['fewer slots, before it is less than 8k', 8, 8192, 2, true],
    ['a short context in one slot', 5, 2048, 1, true],
    ['half of what the weights leave, on a machine without room for the reserve', 4, 3072, 1, true],
  ])('takes %s', (_, gigabytes, contextSize, slots, short) => {
    expect(onMachine(gigabytes)).toMatchObject({ contextSize, slots, short });
  });

  it('leaves the reserve and the prefix cache on every machine that has the room', () => {
    for (let gigabytes = 8; gigabytes < 200; gigabytes++) {
      const chosen = onMachine(gigabytes);
      if (!('slots' in chosen)) throw new Error(chosen.tooLarge);
      const context = 147_456 * chosen.contextSize * chosen.slots;
      const left = gigabytes * gigabyte * 0.9 - 2.5 * gigabyte - context;
      expect(left).toBeGreaterThan(reserveOf(gigabytes * gigabyte) + prefixCache);
      expect(chosen.prefixCache).toBe(prefixCache);
    }
  });

  it('gives no more than the model was trained for, however much there is', () => {
    expect(onMachine(1000, {}, { trainedContextSize: 4096 })).toMatchObject({
      contextSize: 4096,
      slots: 4,
      short: false,
    });
    expect(onMachine(1000, {}, { trainedContextSize: 100_000_000 })).toMatchObject({ contextSize: 32_768, slots: 4 });
    expect(onMachine(6, {}, { trainedContextSize: 4096 })).toMatchObject({ contextSize: 4096, slots: 2 });
  });

  it('takes what is asked for where it fits at all, and leaves open what is not asked for', () => {
    expect(onMachine(24, { contextSize: 120_000, slots: 1 })).toMatchObject({ contextSize: 120_000, slots: 1 });
    expect(onMachine(24, { contextSize: 65_536 })).toMatchObject({ contextSize: 65_536, slots: 1 });
    expect(onMachine(24, { slots: 16 })).toMatchObject({ contextSize: 6144, slots: 16 });
  });

  it('says what is needed and what there is when nothing fits', () => {
    expect(onMachine(24, { contextSize: 1_000_000, slots: 2 })).toEqual({
      tooLarge: expect.stringMatching(
        /^m does not fit into this machine's memory: with 2 slots of 1000000 tokens it needs about 29\d GB, and 21\.6 GB are free\. /,
      ),
    });
    expect(onMachine(2)).toEqual({
      tooLarge: expect.stringContaining('with 1 slot of 256 tokens it needs about 2.6 GB'),
    });
  });

  it('gives the prefix cache half of the rest where memory is short', () => {
    const chosen = onMachine(4);
    if (!('slots' in chosen)) throw new Error(chosen.tooLarge);
    expect(chosen.prefixCache).toBeLessThan(prefixCache);
    expect(chosen.prefixCache).toBeGreaterThan(100e6);
  });

  it('counts a model that gets a context of the same shape', () => {
    const alone = onMachine(24);
    expect(onMachine(24, {}, { beside: [model()] })).toMatchObject({ contextSize: 8192, slots: 4 });
    expect(alone).toMatchObject({ contextSize: 24_576, slots: 4 });
  });
});
