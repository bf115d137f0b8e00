import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkAdapter } from '../../src/models/adapter-file.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { parseGguf } from '../../src/models/gguf.ts';
import { floatEntry, ggufBytes, stringEntry, tensor } from './gguf-bytes.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-adapter-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Shape = readonly [name: string, shape: readonly bigint[], type?: number];

const facts = [
  stringEntry('general.architecture', 'llama'),
  stringEntry('general.type', 'adapter'),
  stringEntry('adapter.type', 'lora'),
  floatEntry('adapter.lora.alpha', 8),
];

function header(entries: readonly Uint8Array[], tensors: readonly Shape[]) {
  return ggufBytes({
    entries,
    tensors: tensors.map(([name, shape, type = 0]) => tensor(name, shape, type, 0n)),
    weights: 1 << 16,
  });
}

async function file(tensors: readonly Shape[], entries: readonly Uint8Array[] = facts): Promise<string> {
  const path = join(folder, 'adapter.gguf');
  await writeFile(path, header(entries, tensors));
  return path;
}

function model(tensors: readonly Shape[]) {
  const bytes = header([stringEntry('general.architecture', 'llama')], tensors);
  return [parseGguf(bytes, bytes.length)];
}

const query = 'blk.0.attn_q.weight';
const half = (which: 'a' | 'b', shape: readonly bigint[], name = query, type = 0): Shape => [
  `${name}.lora_${which}`,
  shape,
  type,
];
const whole = model([
  [query, [64n, 32n]],
  ['blk.0.ffn_up_exps.weight', [64n, 32n, 4n]],
  ['token_embd.weight', [64n, 100n]],
  ['output.weight', [64n, 100n]],
]);

describe('checkAdapter', () => {
  it.each<[string, readonly Shape[]]>([
    ['a matrix', [half('a', [64n, 8n]), half('b', [8n, 32n])]],
    ['norms, which llama.cpp passes over', [half('a', [64n, 8n]), half('b', [8n, 32n]), ['x_norm.weight', [64n]]]],
    [
      'experts',
      [half('a', [64n, 8n, 4n], 'blk.0.ffn_up_exps.weight'), half('b', [8n, 32n, 4n], 'blk.0.ffn_up_exps.weight')],
    ],
    ['embeddings', [half('a', [8n, 100n], 'token_embd.weight'), half('b', [8n, 64n], 'token_embd.weight')]],
    ['quantized ones', [half('a', [64n, 32n], query, 8), half('b', [32n, 32n], query, 1)]],
  ])('takes what fits the model: %s', async (_, tensors) => {
    await checkAdapter(await file(tensors), whole);
  });

  it.each<[string, readonly Shape[], RegExp]>([
    ['no weights', [], /holds no weights/],
    ['one half', [half('a', [64n, 8n])], /one half of "blk\.0\.attn_q\.weight" is missing/],
    ['something else', [['blk.0.attn_q.bias', [64n]]], /"blk\.0\.attn_q\.bias", which is no part of a LoRA adapter/],
    [
      'whole numbers, which cannot be multiplied with',
      [half('a', [64n, 8n], query, 26), half('b', [8n, 32n])],
      /lora_a" as I32\. Convert it/,
    ],
    [
      'a tensor of another model',
      [half('a', [64n, 8n], 'x'), half('b', [8n, 32n], 'x')],
      /the model has no tensor "x"/,
    ],
    ['another width', [half('a', [60n, 8n]), half('b', [8n, 32n])], /another shape \(60 x 8 and 8 x 32 for 64 x 32\)/],
    ['another height', [half('a', [64n, 8n]), half('b', [8n, 30n])], /another shape/],
    ['two ranks', [half('a', [64n, 8n]), half('b', [4n, 32n])], /another shape/],
    ['a pile for a matrix', [half('a', [64n, 8n, 2n]), half('b', [8n, 32n, 2n])], /another shape/],
    [
      'a matrix for experts',
      [half('a', [64n, 8n], 'blk.0.ffn_up_exps.weight'), half('b', [8n, 32n], 'blk.0.ffn_up_exps.weight')],
      /another shape/,
    ],
    [
      'embeddings of two ranks',
      [half('a', [8n, 100n], 'token_embd.weight'), half('b', [4n, 64n], 'token_embd.weight')],
      /another shape/,
    ],
  ])('refuses %s', async (_, tensors, sentence) => {
    await expect(checkAdapter(await file(tensors), whole)).rejects.toThrow(sentence);
  });

  it('refuses embeddings that are the output too, and weights that nothing is added to', async () => {
    const embeddings = [half('a', [8n, 100n], 'token_embd.weight'), half('b', [8n, 64n], 'token_embd.weight')];
    const tied = model([['token_embd.weight', [64n, 100n]]]);
    await expect(checkAdapter(await file(embeddings), tied)).rejects.toThrow(/is the model's output too/);
    const fourBits = model([[query, [64n, 32n], 40]]);
    const pair = [half('a', [64n, 8n]), half('b', [8n, 32n])];
    await expect(checkAdapter(await file(pair), fourBits)).rejects.toThrow(/which are NVFP4/);
  });

  it.each<[string, readonly Uint8Array[], RegExp]>([
    ['a model', [stringEntry('general.architecture', 'llama')], /adapter\.gguf is a model\. It is no adapter\./],
    ['a projector', [stringEntry('general.type', 'mmproj')], /is a projector, .*\. It is no adapter\./],
    [
      'another kind of adapter',
      [stringEntry('general.type', 'adapter'), stringEntry('adapter.type', 'ia3')],
      /is an adapter of the kind "ia3"; only LoRA adapters can be used/,
    ],
    ['an adapter that says so nowhere', [stringEntry('adapter.type', 'lora')], /only LoRA adapters can be used/],
    [
      "another architecture's",
      [stringEntry('general.architecture', 'gemma3'), ...facts.slice(1)],
      /was made for a gemma3 model, and this is a llama model/,
    ],
  ])('refuses %s', async (_, entries, sentence) => {
    const path = await file([half('a', [64n, 8n]), half('b', [8n, 32n])], entries);
    await expect(checkAdapter(path, whole)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(sentence),
    });
  });

  it('refuses what is no file, and the bundled model', async () => {
    await expect(checkAdapter(folder)).rejects.toThrow(`The adapter file ${folder} cannot be opened.`);
    await expect(checkAdapter(bundledModelPath)).rejects.toThrow(/is a model\. It is no adapter/);
  });
});
