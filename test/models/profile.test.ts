import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { completeProfile, readModelProfile } from '../../src/models/profile.ts';
import { array, entry, floatEntry, ggufBytes, numberEntry, string, stringEntry, tensor } from './gguf-bytes.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-profile-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function model(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  await utimes(path, 1_700_000_000.5, 1_700_000_000.5);
  return path;
}

const everything = [
  stringEntry('general.architecture', 'qwen2'),
  numberEntry('general.file_type', 15),
  numberEntry('qwen2.context_length', 32_768),
  floatEntry('general.sampling.temp', 0.5),
  floatEntry('general.sampling.top_p', 0.75),
  entry('general.sampling.top_k', 5, new Uint8Array([20, 0, 0, 0])),
  stringEntry('tokenizer.chat_template', 'plain'),
  stringEntry('tokenizer.chat_template.tool_use', 'with tools'),
  entry(
    'tokenizer.ggml.tokens',
    9,
    array(
      8,
      Array.from({ length: 100 }, () => string('t')),
    ),
  ),
];
const weights = { tensors: [tensor('w', [8n, 2n], 0, 0n)], weights: 64 };

describe('readModelProfile', () => {
  it('reads everything the file says', async () => {
    const bytes = ggufBytes({ entries: everything, ...weights });
    const path = await model('Some-Q4_K_M.gguf', bytes);
    expect(await readModelProfile(path)).toEqual({
      id: 'Some-Q4_K_M',
      aliases: [],
      path,
      created: 1_700_000_000,
      architecture: 'qwen2',
      sizeBytes: bytes.length,
      parameters: 16,
      quantization: 'Q4_K_M',
      trainedContextSize: 32_768,
      chatTemplate: 'plain',
      toolTemplate: 'with tools',
      chatFormat: undefined,
      generates: true,
      recommendedSampling: { temperature: 0.5, topP: 0.75, topK: 20 },
      tensors: [{ name: 'w', bytes: 64, type: 'F32' }],
      metadata: {
        'general.architecture': 'qwen2',
        'general.file_type': 15,
        'qwen2.context_length': 32_768,
        'general.sampling.temp': 0.5,
        'general.sampling.top_p': 0.75,
        'general.sampling.top_k': 20,
        'tokenizer.chat_template': 'plain',
        'tokenizer.chat_template.tool_use': 'with tools',
      },
      vocabularySize: 100,
    });
  });

  it('takes names, template and format from the settings', async () => {
    const path = await model('other.gguf', ggufBytes({ entries: everything, ...weights }));
    const options = { aliases: ['main', 'second'], chatTemplate: 'mine', chatFormat: 'hermes' };
    expect(await readModelProfile(path, options)).toMatchObject({
      id: 'main',
      aliases: ['second'],
      chatTemplate: 'mine',
      toolTemplate: undefined,
      chatFormat: 'hermes',
    });
  });

  it('does without everything but the architecture', async () => {
    const path = await model('bare.gguf', ggufBytes({ entries: [stringEntry('general.architecture', 'llama')] }));
    expect(await readModelProfile(path)).toMatchObject({
      parameters: undefined,
      quantization: undefined,
      trainedContextSize: 0,
      chatTemplate: undefined,
      recommendedSampling: {},
    });
  });

  it('knows what generates', async () => {
    const whole = ggufBytes({ entries: [stringEntry('general.architecture', 'llama')] });
    const path = await model('m.gguf', whole);
    expect(await readModelProfile(path)).toMatchObject({ generates: true });
    expect(await readModelProfile(path, { forVectors: true })).toMatchObject({ generates: false });
    const seesAll = [stringEntry('general.architecture', 'bert'), entry('bert.attention.causal', 7, Uint8Array.of(0))];
    const bert = await model('b.gguf', ggufBytes({ entries: seesAll }));
    expect(await readModelProfile(bert)).toMatchObject({ generates: false });
  });

  it('adds up the parts of a split model', async () => {
    const part = ggufBytes({ entries: everything, ...weights });
    const path = await model('split-00001-of-00002.gguf', part);
    await model('split-00002-of-00002.gguf', ggufBytes(weights));
    expect(await readModelProfile(path)).toMatchObject({ id: 'split', parameters: 32, path });
    await model('split-00002-of-00002.gguf', ggufBytes({ ...weights, weights: 60 }));
    await expect(readModelProfile(path)).rejects.toThrow(/split-00002-of-00002.gguf: This GGUF file is damaged/);
  });

  it.each([
    [
      'clip',
      undefined,
      'is a projector, the part of a model that reads images or sound. Give the model that it belongs to.',
    ],
    [
      'llama',
      'mmproj',
      'is a projector, the part of a model that reads images or sound. Give the model that it belongs to.',
    ],
    ['llama', 'adapter', 'is an adapter (LoRA), which changes another model. Give the model that it was made for.'],
    [undefined, 'imatrix', 'is an importance matrix, which is for quantizing. Give a model.'],
    [
      'controlvector',
      undefined,
      'is a control vector, which steers another model. Give the model that it was made for.',
    ],
  ])('says of architecture %s and type %s what it is instead of a model', async (architecture, type, words) => {
    const entries = [
      ...(architecture === undefined ? [] : [stringEntry('general.architecture', architecture)]),
      ...(type === undefined ? [] : [stringEntry('general.type', type)]),
    ];
    const path = await model('other.gguf', ggufBytes({ entries }));
    await expect(readModelProfile(path)).rejects.toMatchObject({
      code: 'invalid_request',
      message: `${path} ${words}`,
    });
  });

  it('takes a file that calls itself a model, and a template without its byte order mark', async () => {
    const entries = [stringEntry('general.type', 'model'), ...everything];
    const path = await model('model.gguf', ggufBytes({ entries, ...weights }));
    expect(await readModelProfile(path, { chatTemplate: '\ufeffmine' })).toMatchObject({ chatTemplate: 'mine' });
  });

  it('refuses a file without a model', async () => {
    const path = await model('empty.gguf', ggufBytes());
    await expect(readModelProfile(path)).rejects.toThrow(ServeError);
    await expect(readModelProfile(path)).rejects.toThrow('names no architecture');
  });

  it('tells about the bundled model', async () => {
    const profile = await readModelProfile(undefined);
    expect(profile).toMatchObject({
      id: 'serve-model-demo',
      path: bundledModelPath,
      architecture: 'llama',
      parameters: 3_049_920,
      quantization: 'Q8_0',
      trainedContextSize: 4096,
      sizeBytes: 3_313_888,
    });
    expect(profile.chatTemplate).toContain('<|im_start|>');
    expect(Object.keys(profile.metadata)).not.toContain('tokenizer.ggml.tokens');
  });
});

describe('completeProfile', () => {
  it('adds what the loaded model tells', async () => {
    const vocabulary = {
      size: 2048,
      bosText: '',
      eosText: '<|im_end|>',
      addsBos: false,
      addsEos: false,
      controlTexts: ['<|im_end|>'],
      infill: undefined,
    };
    const file = await readModelProfile(undefined);
    const facts = { vocabulary, contextSize: 2048, slots: 4, embeddingSize: 192 };
    const { vocabularySize, tensors, ...rest } = file;
    expect(vocabularySize).toBe(2048);
    expect(tensors?.[0]).toEqual({ name: 'token_embd.weight', bytes: expect.any(Number), type: 'Q8_0' });
    expect(completeProfile(file, facts)).toEqual({ ...rest, ...facts });
  });
});
