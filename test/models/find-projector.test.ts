import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseContext, reserveOf } from '../../src/models/default-context.ts';
import { kindsIn } from '../../src/models/find-model.ts';
import { withFittingProjector } from '../../src/models/fitting-projector.ts';
import { localModels } from '../../src/models/library.ts';
import { memoryNeed } from '../../src/models/memory.ts';
import { type GpuMemory, placeModel } from '../../src/models/placement.ts';
import { readModelProfile } from '../../src/models/profile.ts';
import { byPrecision } from '../../src/models/projector-name.ts';
import { ggufBytes, numberEntry, stringEntry } from './gguf-bytes.ts';
import { openWish as nothing } from './open-wish.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'serve-model-projector-'));
});
afterAll(() => rm(root, { recursive: true }));

const model = (name?: string) =>
  ggufBytes({
    entries: [
      stringEntry('general.architecture', 'llama'),
      numberEntry('llama.embedding_length', 64),
      ...(name === undefined ? [] : [stringEntry('general.basename', name)]),
    ],
  });
const projector = (width = 64, name?: string) =>
  ggufBytes({
    entries: [
      stringEntry('general.architecture', 'clip'),
      stringEntry('general.type', 'mmproj'),
      numberEntry('clip.vision.projection_dim', width),
      ...(name === undefined ? [] : [stringEntry('general.basename', name)]),
    ],
  });

let folders = 0;
/** Names of those that are found beside `model`, the best first; the files are written in the order given. */
async function found(wearer: string, files: Record<string, Uint8Array>): Promise<string[]> {
  const folder = join(root, String(++folders));
  await mkdir(folder);
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  const { projector: best, otherProjectors = [] } = await readModelProfile(join(folder, wearer));
  return (best ? [best, ...otherProjectors] : []).map(({ path }) => basename(path));
}

describe('the projectors beside a model', () => {
  it('are found by what the files say of themselves, whatever they are called', async () => {
    expect(await found('Eye-Q4_K_M.gguf', { 'Eye-Q4_K_M.gguf': model(), 'eyes.gguf': projector() })).toEqual([
      'eyes.gguf',
    ]);
    expect(await found('a.gguf', { 'a.gguf': model(), 'mmproj-F16.gguf': ggufBytes() })).toEqual([]);
  });

  it('are looked for once for all models of a folder', async () => {
    const folder = join(root, String(++folders));
    await mkdir(folder);
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, `${name}.gguf`), model());
    await writeFile(join(folder, 'mmproj-b.gguf'), projector());
    const looks: string[] = [];
    const lookInto = (each: string) => {
      looks.push(each);
      return kindsIn(each);
    };
    const models = await localModels(folder, new Map(), { lookInto });
    const seeing = models.flatMap(({ id, profile }) => (profile?.projector ? [id] : []));
    expect([seeing, looks]).toEqual([['b'], [folder]]);
  });

  it('are as wide as the model', async () => {
    expect(await found('a.gguf', { 'a.gguf': model(), 'mmproj-a.gguf': projector(65) })).toEqual([]);
  });

  it('have the model’s name where other models lie there', async () => {
    const files = { 'Eye-7B-Q8_0.gguf': model(), 'Ear-7B-Q8_0.gguf': model(), 'Eye-7B-Q4_K_M.gguf': model() };
    const other = { ...files, 'mmproj-F16.gguf': projector() };
    expect(await found('Eye-7B-Q8_0.gguf', other)).toEqual([]);
    expect(await found('Eye-7B-Q8_0.gguf', { ...other, 'mmproj-Eye-7B-Q8_0.gguf': projector() })).toEqual([
      'mmproj-Eye-7B-Q8_0.gguf',
    ]);
    const named = { 'a.gguf': model('Eye'), 'b.gguf': model('Ear'), 'mmproj-x.gguf': projector(64, 'Eye') };
    expect([await found('a.gguf', named), await found('b.gguf', named)]).toEqual([['mmproj-x.gguf'], []]);
  });

  it('come in the order of their precision, in whatever order they lie on the disk', async () => {
    const names = ['F32', 'Q4_K_M', 'Q8_0', 'BF16', 'Q5_K_M', 'F16'].map((kind) => `mmproj-Eye-${kind}.gguf`);
    const sorted = ['F16', 'BF16', 'F32', 'Q8_0', 'Q5_K_M', 'Q4_K_M'].map((kind) => `mmproj-Eye-${kind}.gguf`);
    for (const order of [names, names.toReversed()]) {
      const files = Object.fromEntries(order.map((name) => [name, projector()]));
      expect(await found('Eye-Q8_0.gguf', { ...files, 'Eye-Q8_0.gguf': model() })).toEqual(sorted);
    }
    const paths = ['/b/mmproj.gguf', '/a/mmproj.gguf', '/a/mmproj-eye.gguf'].map((path) => ({ path }));
    expect(paths.toSorted(byPrecision)).toEqual(paths.toReversed().toSorted(byPrecision));
  });
});

/** 147,456 bytes of context a token. */
const large = {
  id: 'm',
  architecture: 'qwen3',
  sizeBytes: 2.5e9,
  trainedContextSize: 262_144,
  metadata: {
    'qwen3.block_count': 36,
    'qwen3.embedding_length': 2560,
    'qwen3.attention.head_count': 32,
    'qwen3.attention.head_count_kv': 8,
    'qwen3.attention.key_length': 128,
    'qwen3.attention.value_length': 128,
  },
  projector: { path: 'F16', sizeBytes: 1.6e9 },
  otherProjectors: [
    { path: 'F32', sizeBytes: 3.2e9 },
    { path: 'Q8_0', sizeBytes: 0.8e9 },
    { path: 'Q4_0', sizeBytes: 0.4e9 },
  ],
};

describe('of several projectors', () => {
  const onMachine = (available: number) =>
    withFittingProjector(large, (one) => chooseContext(one, nothing, { total: 32e9, available, prefixCache: 0 }));
  /** Without any, for 32k tokens in each of four slots. */
  const blind = { ...large, projector: undefined };
  const whole = reserveOf(32e9) + memoryNeed(blind, { contextSize: 32_768, slots: 4, cacheType: 'f16' }).total;

  it.each([
    [40e9, 'F16', 32_768],
    [whole + 1.6e9, 'F16', 32_768],
    // Half precision would cost context.
    [whole + 0.8e9, 'Q8_0', 32_768],
    [whole + 0.4e9, 'Q4_0', 32_768],
    // With any of them there is less, with the smallest most.
    [whole, 'F16', 24_576],
    // Nothing but the smallest fits.
    [3.1e9, 'Q4_0', 256],
  ])('in %d bytes the best is taken that costs no context: %s', (available, path, contextSize) => {
    expect(onMachine(available)).toMatchObject({ projector: { path }, contextSize });
  });

  it('none fits where the smallest does not, and the sentence names the way without', () => {
    expect(onMachine(2.8e9)).toEqual({ tooLarge: expect.stringMatching(/or --no-mmproj\.$/) });
  });

  it('on a GPU it costs no layers either, where its weights lie', () => {
    const tensors = Array.from({ length: 36 }, (_, layer) => ({ name: `blk.${layer}.w`, bytes: 2.5e9 / 36 }));
    const wish = { ...nothing, contextSize: 8192, slots: 1 };
    const onGpu = (freeBytes: number) => {
      const gpu: GpuMemory = { name: 'g', description: 'g', freeBytes, totalBytes: 24e9, sharesMain: false };
      const memory = { total: 64e9, available: 60e9, prefixCache: 0 };
      return withFittingProjector(large, (one) => {
        const placement = placeModel({ ...one, tensors }, wish, memory, [gpu]);
        if (!placement || 'tooLarge' in placement) throw new Error('It fits.');
        return { ...placement, placement };
      });
    };
    const all = 2.5e9 + 147_456 * 8192 + 1024 ** 3 + 0.5e9;
    expect(onGpu(all + 1.6e9)).toMatchObject({ projector: { path: 'F16' }, gpuLayers: 37 });
    expect(onGpu(all + 0.8e9)).toMatchObject({ projector: { path: 'Q8_0' }, gpuLayers: 37 });
  });
});
