import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/contract/json.ts';
import { chooseQuantization, neededBySize, rateQuantizations } from '../../src/models/choose-quantization.ts';
import type { HubModel } from '../../src/models/hub.ts';
import { memoryNeed } from '../../src/models/memory.ts';

const shape = { contextSize: 1000, slots: 2, cacheType: 'f16' } as const;
const llama = {
  architecture: 'llama',
  sizeBytes: 5e9,
  metadata: {
    'llama.block_count': 32,
    'llama.embedding_length': 4096,
    'llama.attention.head_count': 32,
    'llama.attention.head_count_kv': 8,
  },
};

describe('memoryNeed', () => {
  it('counts keys and values of all layers for all slots', () => {
    const need = memoryNeed(llama, shape);
    expect(need).toMatchObject({ weights: 5e9, context: 32 * 8 * 256 * 2 * 1000 * 2 });
    expect(need.total).toBe(need.weights + need.context + need.compute);
  });

  it.each([
    ['every head when the file names no key heads', { 'llama.attention.head_count_kv': undefined }, 4],
    ['other sizes of keys and values', { 'llama.attention.key_length': 256, 'llama.attention.value_length': 128 }, 1.5],
    [
      'key heads for each layer',
      { 'llama.attention.head_count_kv': [...Array(16).fill(8), ...Array(16).fill(0)] },
      0.5,
    ],
  ])('knows %s', (_, change, factor) => {
    const changed = { ...llama, metadata: { ...llama.metadata, ...change } };
    expect(memoryNeed(changed, shape).context).toBe(memoryNeed(llama, shape).context * factor);
  });

  it('counts less for small number formats', () => {
    const ratio = memoryNeed(llama, { ...shape, cacheType: 'q8_0' }).context / memoryNeed(llama, shape).context;
    expect(ratio).toBeCloseTo(34 / 64, 6);
  });

  it.each([
    ['a pattern in the file', 'x', { 'x.attention.sliding_window_pattern': [true, true, false, true] }, 3],
    ['a period in the file', 'x', { 'x.attention.sliding_window_pattern': 2 }, 2],
    ['what is known of the architecture', 'gpt-oss', {}, 2],
    ['no layer where nothing is known', 'x', {}, 0],
  ])('counts the window of layers that slide by %s', (_, architecture, change, sliding) => {
    const sizes = { block_count: 4, embedding_length: 4, 'attention.head_count': 1, 'attention.sliding_window': 88 };
    const named = Object.entries(sizes).map(([key, value]) => [`${architecture}.${key}`, value]);
    const model = { architecture, sizeBytes: 0, metadata: { ...Object.fromEntries(named), ...change } };
    const tokens = (4 - sliding) * 1000 + sliding * 768;
    expect(memoryNeed(model, shape).context).toBe(tokens * 8 * 2 * 2);
    // A context that is shorter than the window is held whole.
    expect(memoryNeed(model, { ...shape, contextSize: 50 }).context).toBe(4 * 50 * 8 * 2 * 2);
  });

  it('is not held up by a forged number of layers', () => {
    const forged = { ...llama, metadata: { ...llama.metadata, 'llama.block_count': 2 ** 32 - 1 } };
    expect(memoryNeed(forged, shape).context).toBe((memoryNeed(llama, shape).context / 32) * 4096);
  });

  it('needs no metadata', () => {
    expect(memoryNeed({ architecture: 'x', sizeBytes: 1, metadata: {} }, shape)).toMatchObject({ context: 0 });
  });

  const sizes = { block_count: 4, embedding_length: 64, 'attention.head_count': 2, 'attention.key_length': 32 };
  const ssm = { 'ssm.conv_kernel': 4, 'ssm.inner_size': 128, 'ssm.state_size': 16 };
  const ssmBytes = 4 * (3 * 128 + 128 * 16);
  const attentionBytes = 2 * 2 * (32 + 32) * 1000;
  it.each<[string, Record<string, JsonValue>, number]>([
    // As llama.cpp's converter writes it: Mamba has no heads.
    ['mamba', { 'attention.head_count': 0, ...ssm }, 4 * ssmBytes],
    ['mamba2', { ...ssm, 'ssm.group_count': 2 }, 4 * (ssmBytes + 4 * 3 * 2 * 2 * 16)],
    ['rwkv7', { 'wkv.head_size': 8 }, 4 * 4 * (64 * 8 + 2 * 64)],
    ['lfm2', { 'attention.head_count_kv': [0, 2, 0, 2], 'shortconv.l_cache': 3 }, 2 * (attentionBytes + 4 * 64 * 2)],
    ['granitehybrid', { 'attention.head_count_kv': [0, 0, 0, 2], ...ssm }, 3 * ssmBytes + attentionBytes],
    ['falcon-h1', ssm, 4 * (ssmBytes + attentionBytes)],
    ['qwen3next', { full_attention_interval: 2, ...ssm }, 2 * (ssmBytes + attentionBytes)],
    ['bert', { 'attention.causal': false }, 0],
    ['deepseek2', { 'attention.head_count_kv': 1, 'attention.key_length_mla': 16 }, 4 * 2 * 32 * 1000],
  ])('counts what a slot of %s keeps', (architecture, change, bytes) => {
    const named = Object.entries({ ...sizes, ...change }).map(([key, value]) => [`${architecture}.${key}`, value]);
    const model = { architecture, sizeBytes: 0, metadata: Object.fromEntries(named) };
    expect(memoryNeed(model, { ...shape, slots: 1 }).context).toBe(bytes);
  });

  it.each<[string, Record<string, JsonValue>]>([
    ['nothing but zeros', { block_count: 2, embedding_length: 0, 'attention.head_count': 0 }],
    ['what is no number', { block_count: Number.NaN, embedding_length: Number.POSITIVE_INFINITY }],
    ['lists of other things', { block_count: 2, 'attention.head_count': ['a', null], 'attention.head_count_kv': [] }],
  ])('gives a number for %s', (_, facts) => {
    const metadata = Object.fromEntries(Object.entries(facts).map(([key, value]) => [`x.${key}`, value]));
    expect(memoryNeed({ architecture: 'x', sizeBytes: 1, metadata }, shape).total).toBeLessThan(1e9);
  });

  // llama.cpp's own figures, in MiB: a vocabulary of 151,936 tokens, 2560 wide, 32 heads; and one of 2,048, 64 wide.
  const wide = { embedding_length: 2560, feed_forward_length: 9728, 'attention.head_count': 32 };
  const narrow = { embedding_length: 64, feed_forward_length: 128, 'attention.head_count': 32 };
  it.each<[number, typeof wide, number, boolean, number]>([
    [151_936, wide, 8192, true, 306.75],
    [151_936, wide, 8192, false, 563.01],
    [2048, narrow, 8192, true, 24.39],
    [2048, narrow, 8192, false, 548.38],
    [2048, narrow, 32_768, true, 48.39],
  ])(
    'weighs the computing of %i tokens as llama.cpp takes it',
    (vocabularySize, facts, contextSize, flashAttention, mib) => {
      const metadata = Object.fromEntries(Object.entries(facts).map(([key, value]) => [`llama.${key}`, value]));
      const model = { architecture: 'llama', sizeBytes: 0, metadata, vocabularySize };
      const ratio = memoryNeed(model, { ...shape, contextSize, flashAttention }).compute / (mib * 1024 * 1024);
      expect(ratio).toBeGreaterThan(1);
      expect(ratio).toBeLessThan(1.6);
    },
  );
});

describe('chooseQuantization', () => {
  const hub = (quantization: string, gigabytes: number): HubModel => ({
    name: { owner: 'o', repo: 'r', quantization: undefined, file: undefined },
    quantization,
    bytes: gigabytes * 1e9,
    files: [],
  });
  const all = [hub('Q2_K', 3), hub('Q4_K_M', 5), hub('Q8_0', 8), hub('BF16', 16)];
  const pick = (models: readonly HubModel[], ram: number, vram: number) =>
    chooseQuantization(
      rateQuantizations(models, { ram: ram * 1e9, vram: vram * 1e9 }, ({ bytes }) => neededBySize(bytes)),
    )?.quantization;

  it.each([
    ['the largest that fits the GPU', 64, 8, 'Q4_K_M'],
    ['the largest that fits the memory without a GPU', 10, 0, 'Q8_0'],
    ['the memory when the GPU is too small', 10, 2, 'Q8_0'],
    ['no full precision however much there is', 512, 512, 'Q8_0'],
    ['nothing when nothing fits', 2, 1, undefined],
  ])('takes %s', (_, ram, vram, quantization) => {
    expect(pick(all, ram, vram)).toBe(quantization);
  });

  it('takes full precision when there is nothing else', () => {
    expect(pick([hub('BF16', 16)], 64, 0)).toBe('BF16');
  });
});
