import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryNeed } from '../../src/models/memory.ts';
import { readModelProfile } from '../../src/models/profile.ts';
import { weightSizes } from '../../src/models/weight-places.ts';
import { runCommand } from '../support/serve-process.ts';
import { type TinyArchitecture, writeTinyModel } from '../support/tiny-models.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-estimate-'));
});
afterAll(() => rm(folder, { recursive: true }));

const mib = 1024 * 1024;

/** MiB of the buffers that the library says it has made, the first of each kind of one context. */
async function buffersOf(path: string, flags: readonly string[]) {
  // Nothing is measured at the start: the only context is the one that serves.
  const quick = ['--port', '0', '--threads', '1', '--flash-attn', '--no-mmap', '--log-level', 'debug'];
  const server = runCommand([path, ...quick, ...flags]);
  await server.ready();
  server.child.kill();
  await server.exited();
  const sizes = (name: string) =>
    [...server.error().matchAll(new RegExp(`: +(\\S+ )?${name} size = +([\\d.]+) MiB`, 'g'))].map(([, , text]) =>
      Number(text),
    );
  return {
    weights: sum(sizes('model buffer')),
    context: sum([...sizes('KV buffer'), ...sizes('RS buffer')]),
    compute: sizes('compute buffer')[0] ?? 0,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe('the memory that is estimated from a header', () => {
  it.each<TinyArchitecture>(['qwen3moe', 'gemma3', 'mamba', 'lfm2'])(
    'is what llama.cpp takes for %s',
    async (architecture) => {
      const path = join(folder, `${architecture}.gguf`);
      writeTinyModel(path, architecture);
      const profile = await readModelProfile(path);
      const shape = { contextSize: 2048, slots: 3, cacheType: 'f16' } as const;
      const said = await buffersOf(path, ['--ctx-size', '2048', '--parallel', '3']);
      const { input, layers, output } = weightSizes(profile.tensors ?? [], 4);
      const weights = input + output + sum(layers.map(({ experts, rest }) => experts + rest));
      expect(weights / mib).toBeCloseTo(said.weights, 1);
      const need = memoryNeed(profile, shape);
      expect(need.context / mib).toBeCloseTo(said.context, 1);
      expect(need.compute / mib).toBeGreaterThan(said.compute);
      expect(need.compute).toBeLessThan(said.compute * mib + 32e6);
    },
  );

  it('knows the experts of a model', async () => {
    const path = join(folder, 'experts.gguf');
    writeTinyModel(path, 'qwen3moe');
    const { tensors = [] } = await readModelProfile(path);
    const { layers } = weightSizes(tensors, 4);
    const all = tensors.filter(({ name }) => name.includes('_exps'));
    expect(all).toHaveLength(12);
    expect(sum(layers.map(({ experts }) => experts))).toBe(sum(all.map(({ bytes }) => bytes)));
  });
});
