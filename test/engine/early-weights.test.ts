import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { beginWeights, type WeightsOptions } from '../../src/engine/llama/weights.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { readGguf } from '../../src/models/gguf.ts';

const path = bundledModelPath;
const begin = () => beginWeights({ path, gpu: 'off', gpuLayers: undefined });
const load = (more: Partial<WeightsOptions> = {}): WeightsOptions => ({
  path,
  gpuLayers: undefined,
  signal: new AbortController().signal,
  onProgress: () => undefined,
  ...more,
});

describe('weights that begin to load early', () => {
  it('go to the first load of the same file in the same way, with their progress', async () => {
    const early = begin();
    const fractions: number[] = [];
    expect(await early.take(load({ path: 'other.gguf' }))).toBeUndefined();
    expect(await early.take(load({ gpuLayers: 0 }))).toBeUndefined();
    const model = await early.take(load({ onProgress: (fraction) => fractions.push(fraction) }));
    expect(model?.trainContextSize).toBeGreaterThan(0);
    expect(fractions.length).toBeGreaterThan(0);
    expect(await early.take(load())).toBeUndefined();
    await early.discard();
    expect(model?.disposed).toBe(false);
    await model?.dispose();
  });

  it('end with the load that takes them', async () => {
    const controller = new AbortController();
    const taken = begin().take(load({ signal: controller.signal }));
    controller.abort(new ServeError('client_closed', 'Nobody wants it.'));
    expect(await taken).toBeUndefined();
  });

  it('go to nobody when they are discarded, or when they fail', async () => {
    const early = begin();
    await early.discard();
    expect(await early.take(load())).toBeUndefined();
    const broken = beginWeights({ path: 'no-such-file.gguf', gpu: 'off', gpuLayers: undefined });
    expect(await broken.take(load({ path: 'no-such-file.gguf' }))).toBeUndefined();
  });

  it('come with a header whose long arrays are counted, not read, and whose rest is whole', async () => {
    const model = await begin().take(load());
    const { metadata, tensorInfo } = model?.fileInfo ?? {};
    const { metadata: expected, tensors } = await readGguf(path);
    const { tokens = [], merges = [] } = metadata?.tokenizer.ggml ?? {};
    expect(tokens).toHaveLength(2048);
    expect(Object.keys(tokens)).toEqual([]);
    expect(expected.get('tokenizer.ggml.tokens')).toEqual({ array: 'string', length: tokens.length });
    expect(expected.get('tokenizer.ggml.merges')).toEqual({ array: 'string', length: merges?.length });
    expect(metadata?.tokenizer.chat_template).toBe(expected.get('tokenizer.chat_template'));
    expect(tensorInfo?.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
    await model?.dispose();
  });
});
