import { describe, expect, it } from 'vitest';
import type { PlacementWish } from '../../src/contract/load-wish.ts';
import {
  describePlacement,
  type GpuMemory,
  gpuReserveOf,
  type PlacedModel,
  type Placement,
  placeModel,
} from '../../src/models/placement.ts';
import { openWish as nothing } from './open-wish.ts';

const gigabyte = 1e9;
const layers = 48;

interface Sizes {
  /** Bytes of one layer. */
  readonly experts: number;
  readonly rest: number;
}

/** 48 layers of 4 heads of 128: 98,304 bytes a token, as Qwen3-30B-A3B has; its experts are 17 of its 18.5 GB. */
function model({ experts, rest }: Sizes = { experts: 354e6, rest: 20e6 }): PlacedModel {
  const each = Array.from({ length: layers }, (_, layer) => [
    { name: `blk.${layer}.attn_q.weight`, bytes: rest },
    ...(experts > 0
      ? ['gate', 'up', 'down'].map((name) => ({ name: `blk.${layer}.ffn_${name}_exps.weight`, bytes: experts / 3 }))
      : []),
  ]);
  const tensors = [
    { name: 'token_embd.weight', bytes: 170e6 },
    { name: 'output.weight', bytes: 250e6 },
    { name: 'output_norm.weight', bytes: 8192 },
    ...each.flat(),
  ];
  return {
    id: 'm',
    architecture: 'qwen3moe',
    sizeBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    trainedContextSize: 262_144,
    tensors,
    metadata: {
      'qwen3moe.block_count': layers,
      'qwen3moe.embedding_length': 2048,
      'qwen3moe.attention.head_count': 32,
      'qwen3moe.attention.head_count_kv': 4,
      'qwen3moe.attention.key_length': 128,
      'qwen3moe.attention.value_length': 128,
    },
  };
}

const dense = model({ experts: 0, rest: 400e6 });

function gpu(gigabytes: number, change: Partial<GpuMemory> = {}): GpuMemory {
  const bytes = gigabytes * gigabyte;
  return { name: 'CUDA0', description: 'a card', freeBytes: bytes, totalBytes: bytes, sharesMain: false, ...change };
}

const memory = { total: 64 * gigabyte, available: 60 * gigabyte, prefixCache: 512 * 1024 * 1024 };

function place(placed: PlacedModel, gpus: readonly GpuMemory[], wish: Partial<PlacementWish> = {}): Placement {
  const found = placeModel(placed, { ...nothing, ...wish }, memory, gpus);
  if (!found || 'tooLarge' in found) throw new Error(found?.tooLarge ?? 'nothing fits');
  return found;
}

/** What the GPUs take never exceeds what they have, and nothing is lost on the way. */
function check(placed: PlacedModel, found: Placement, gpus: readonly GpuMemory[]): void {
  for (const [index, { total }] of found.gpus.entries()) {
    const { freeBytes = 0, totalBytes = 0 } = gpus[index] ?? {};
    expect(total).toBeLessThanOrEqual(freeBytes - gpuReserveOf(totalBytes));
  }
  const weights = [found.main, ...found.gpus].reduce((sum, load) => sum + load.weights, 0);
  expect(weights).toBeCloseTo(placed.sizeBytes, -1);
}

describe('placeModel', () => {
  it.each<[string, number, Partial<Placement>, string | undefined]>([
    ['nothing', 40, { gpuLayers: 49, expertLayers: 0, contextSize: 32_768, slots: 4 }, undefined],
    ['nothing, for less context', 24, { gpuLayers: 49, expertLayers: 0, contextSize: 8192, slots: 4 }, undefined],
    ['experts of few layers', 22, { gpuLayers: 49, expertLayers: 3 }, 'experts of 3 layers in main memory'],
    ['experts of most layers', 8, { gpuLayers: 49, expertLayers: 42 }, 'experts of 42 layers in main memory'],
    ['all experts, for fewer slots', 5, { gpuLayers: 49, expertLayers: 48, contextSize: 8192, slots: 3 }, '48 layers'],
    ['whole layers in the end', 2, { gpuLayers: 32, slots: 1 }, '32 of 49 layers, experts of 48 layers in main'],
  ])('keeps %s in main memory with a GPU of %f GB', (_, gigabytes, expected, words) => {
    const gpus = [gpu(gigabytes)];
    const found = place(model(), gpus);
    expect(found).toMatchObject(expected);
    if (words === undefined) expect(describePlacement(found)).toBeUndefined();
    else expect(describePlacement(found)).toContain(words);
    check(model(), found, gpus);
  });

  it('moves no more experts than it has to', () => {
    for (let gigabytes = 5; gigabytes < 23; gigabytes += 0.5) {
      const gpus = [gpu(gigabytes)];
      const found = place(model(), gpus);
      check(model(), found, gpus);
      const { contextSize, slots, expertLayers } = found;
      const asked = { contextSize, slots, gpuLayers: 49, expertLayers: expertLayers - 1 };
      const less = place(model(), gpus, asked);
      // What is asked for is put there, and does not fit.
      expect(() => check(model(), less, gpus)).toThrow();
    }
  });

  it('gives up slots before layers where there are no experts', () => {
    expect(place(dense, [gpu(24)])).toMatchObject({ gpuLayers: 49, contextSize: 8192, slots: 4 });
    expect(place(dense, [gpu(22)])).toMatchObject({ gpuLayers: 49, contextSize: 8192, slots: 1 });
    expect(place(dense, [gpu(16)])).toMatchObject({ gpuLayers: 34, contextSize: 8192, slots: 1 });
    expect(describePlacement(place(dense, [gpu(16)]))).toBe('34 of 49 layers');
  });

  it('leaves a GPU alone that not one layer fits', () => {
    expect(placeModel(dense, nothing, memory, [gpu(1)])).toBeUndefined();
  });

  it('fills several GPUs by their room, and tells the library how', () => {
    const gpus = [gpu(16), gpu(12, { name: 'CUDA1' })];
    const found = place(model(), gpus);
    expect(found).toMatchObject({ gpuLayers: 49, expertLayers: 0 });
    expect(found.tensorSplit?.reduce((sum, layers) => sum + layers, 0)).toBe(49);
    const [first, second] = found.gpus.map(({ weights }) => weights);
    expect((first ?? 0) / (second ?? 1)).toBeGreaterThan(1.2);
    check(model(), found, gpus);
  });

  it('does not fill a second GPU with what the first has room for in halves', () => {
    const gpus = [gpu(40), gpu(40, { name: 'CUDA1' })];
    const shares = place(model(), gpus).tensorSplit ?? [];
    expect(Math.abs((shares[0] ?? 0) - (shares[1] ?? 0))).toBeLessThan(6);
  });

  it('divides as it is told', () => {
    const gpus = [gpu(40), gpu(40, { name: 'CUDA1' })];
    const asked = place(model(), gpus, { tensorSplit: [3, 1] });
    expect(asked.tensorSplit).toBeUndefined();
    // Layers 0 to 36 of 49 and 37 to 48: llama.cpp compares k / 49 with 0.75.
    expect(asked.gpus[1]?.weights).toBeCloseTo(11 * (354e6 + 20e6) + 250e6 + 8192, -1);
    const alone = place(model(), gpus, { splitMode: 'none', mainGpu: 1 });
    expect(alone.gpus.map(({ weights }) => weights > 0)).toEqual([false, true]);
    const rows = place(model(), gpus, { splitMode: 'row' });
    expect(rows.gpus.map(({ context }) => context > 0)).toEqual([true, false]);
  });

  it('takes what is asked for', () => {
    expect(place(model(), [gpu(40)], { gpuLayers: 20 })).toMatchObject({ gpuLayers: 20, expertLayers: 0 });
    expect(place(model(), [gpu(40)], { expertLayers: 10 })).toMatchObject({ gpuLayers: 49, expertLayers: 10 });
    expect(place(model(), [gpu(40)], { expertLayers: 'all' })).toMatchObject({ gpuLayers: 49, expertLayers: 48 });
    expect(place(dense, [gpu(8)], { gpuLayers: 99 })).toMatchObject({ gpuLayers: 49, slots: 1, contextSize: 8192 });
    expect(place(model(), [gpu(24)], { contextSize: 65_536, slots: 1 })).toMatchObject({
      contextSize: 65_536,
      slots: 1,
    });
  });

  it('puts tensors where their names say', () => {
    const byName = { tensorPlaces: [{ pattern: 'blk\\.([0-9]|1[0-9])\\..*_exps', place: 'CPU' }] };
    const found = place(model(), [gpu(24)], byName);
    expect(found.main.weights).toBeCloseTo(20 * 354e6 + 170e6, -1);
    check(model(), found, [gpu(24)]);
  });

  it('counts a table that is the output too in both memories', () => {
    const tied = { ...model(), tensors: model().tensors.filter(({ name }) => name !== 'output.weight') };
    const found = place(tied, [gpu(40)]);
    expect(found.main.weights).toBe(170e6);
    expect(found.gpus[0]?.weights).toBeCloseTo(48 * (354e6 + 20e6) + 170e6 + 8192, -1);
  });

  it('leaves room for a draft model', () => {
    const draft = { ...dense, sizeBytes: 2e9 };
    expect(place({ ...model(), beside: [draft] }, [gpu(24)]).expertLayers).toBeGreaterThan(5);
  });

  it('says so when main memory has no room for what the GPU leaves', () => {
    const little = { ...memory, available: 4e9 };
    expect(placeModel(model(), nothing, little, [gpu(8)])).toEqual({
      tooLarge: expect.stringMatching(
        /^m does not fit .* beside what its GPUs take it needs about 15\.\d GB, and 4\.0 GB are free\./,
      ),
    });
    // Where the GPU's memory is a part of it, only the GPU says what is free.
    expect(placeModel(model(), nothing, little, [gpu(24, { sharesMain: true })])).toMatchObject({ gpuLayers: 49 });
  });

  it('gives the prefix cache what main memory leaves', () => {
    const found = placeModel(model(), nothing, { ...memory, available: 16e9, total: 17e9 }, [gpu(8)]);
    expect(found).toMatchObject({ prefixCache: expect.closeTo((16e9 - 15_103_943_040) / 2, -6) });
  });
});
