import { afterEach, describe, expect, it } from 'vitest';
import { neededBySize } from '../../src/models/choose-quantization.ts';
import { type HubAccess, type HubModel, listHubModels } from '../../src/models/hub.ts';
import type { MemoryShape } from '../../src/models/memory.ts';
import { readRemoteHeader } from '../../src/models/remote-header.ts';
import { weighHubModels } from '../../src/models/weigh-hub-models.ts';
import { array, entry, ggufBytes, numberEntry, string, stringEntry, tensor } from './gguf-bytes.ts';
import { type HubFixture, type HubTrouble, startHub } from './hub-fixture.ts';

const open: HubFixture[] = [];
afterEach(async () => {
  for (const hub of open.splice(0)) await hub.close();
});

const layers = 10;
const facts = [
  stringEntry('general.architecture', 'llama'),
  numberEntry('llama.block_count', layers),
  numberEntry('llama.embedding_length', 64),
  numberEntry('llama.attention.head_count', 4),
  numberEntry('llama.attention.head_count_kv', 2),
  numberEntry('llama.context_length', 1024),
];
/** Longer than the first megabyte that is asked for. */
const longVocabulary = entry(
  'tokenizer.ggml.tokens',
  9,
  array(
    8,
    Array.from({ length: 60_000 }, (_, index) => string(`a token of some length ${index}`)),
  ),
);
const model = (weights: number, entries = facts) =>
  ggufBytes({ entries, tensors: [tensor('w', [BigInt(weights / 4)], 0, 0n)], weights });

const name = { owner: 'owner', repo: 'repo', quantization: undefined, file: undefined };
const shape: MemoryShape = { contextSize: 2000, slots: 3, cacheType: 'f16' };
/** Two numbers of 2 bytes for each layer, key head and place of a head. */
const contextBytes = (tokens: number) => 2 * 2 * layers * 2 * 16 * tokens;

async function hubWith(files: Readonly<Record<string, Uint8Array>>, trouble: HubTrouble = {}) {
  const hub = await startHub(files, trouble);
  open.push(hub);
  const token = trouble.token;
  const access: HubAccess = { endpoint: hub.endpoint, token, signal: new AbortController().signal };
  const models = await listHubModels(name, access);
  const asked = () => hub.requests.filter((request) => request.includes('/resolve/'));
  return { hub, access, models, asked };
}

async function weigh(models: readonly HubModel[], access: HubAccess, wanted = shape) {
  const told: string[] = [];
  const neededFor = await weighHubModels(models, { access, shape: wanted, tell: (sentence) => told.push(sentence) });
  return { told, needed: models.map(neededFor) };
}

/** Of a batch of 512 tokens, 64 wide, with flash attention. */
const computeBytes = (tokens: number) => 24e6 + 512 * (4 * 64 * 8 + 2 * tokens);

describe('weighHubModels', () => {
  it('reads one header for all quantizations and counts the wanted context and slots', async () => {
    const files = { 'm-Q4_0.gguf': model(4000), 'm-Q8_0.gguf': model(8000) };
    const { models, access, asked } = await hubWith(files, { token: 'secret' });
    const { told, needed } = await weigh(models, access);
    expect(needed).toEqual([4000, 8000].map((weights) => weights + contextBytes(2000 * 3) + computeBytes(2000)));
    expect(told).toEqual([]);
    expect(asked()).toEqual([`GET /owner/repo/resolve/main/m-Q4_0.gguf bytes=0-${files['m-Q4_0.gguf'].length - 1}`]);
  });

  it('counts less for a smaller format of the context, and a modest context where none is wanted', async () => {
    const { models, access } = await hubWith({ 'm-Q4_0.gguf': model(4000) });
    const [f16] = (await weigh(models, access)).needed;
    const [q8] = (await weigh(models, access, { ...shape, cacheType: 'q8_0' })).needed;
    const [modest] = (await weigh(models, access, { ...shape, contextSize: 0 })).needed;
    expect((f16 ?? 0) - (q8 ?? 0)).toBe(contextBytes(6000) * (1 - 34 / 64));
    // The model was trained for 1024 tokens.
    expect((f16 ?? 0) - (modest ?? 0)).toBe(contextBytes(3 * (2000 - 1024)) + computeBytes(2000) - computeBytes(1024));
  });

  it('reads a header of each model where a repository holds several', async () => {
    const other = [stringEntry('general.architecture', 'llama'), numberEntry('llama.block_count', 1)];
    const { models, access, asked } = await hubWith({ 'a-Q4_0.gguf': model(4000), 'b-Q4_0.gguf': model(4000, other) });
    const { needed } = await weigh(models, access);
    expect(new Set(needed).size).toBe(2);
    expect(asked()).toHaveLength(2);
  });

  it.each<[string, Uint8Array, HubTrouble, RegExp]>([
    ['is no GGUF file', new TextEncoder().encode('<html></html>'), {}, /This is no GGUF file/],
    ['has no layers', model(4000, facts.slice(0, 1)), {}, /does not say how many layers/],
    ['breaks off', model(4000), { cuts: 9 }, /The connection broke/],
  ])('weighs by size and says why when a header %s', async (_, bytes, trouble, sentence) => {
    const { models, access } = await hubWith({ 'm-Q4_0.gguf': bytes }, trouble);
    const { told, needed } = await weigh(models, access);
    expect(needed).toEqual([neededBySize(bytes.length)]);
    expect(told).toEqual([expect.stringMatching(sentence)]);
    expect(told[0]).toMatch(/^m-Q4_0\.gguf is weighed by its size/);
  });

  it('ends with its signal', async () => {
    const { models, access, hub } = await hubWith({ 'm-Q4_0.gguf': model(4000) });
    hub.trouble = { stallAfter: 10 };
    const stop = new AbortController();
    const weighing = weigh(models, { ...access, signal: stop.signal });
    stop.abort(new Error('stopped'));
    await expect(weighing).rejects.toThrow('stopped');
  });
});

describe('readRemoteHeader', () => {
  const bytes = model(8_000_000, [...facts, longVocabulary]);

  it.each<[string, HubTrouble]>([
    ['asks only for what is missing', {}],
    ['takes the beginning from a hub without ranges', { noRanges: true }],
  ])('%s', async (_, trouble) => {
    const { models, access, asked } = await hubWith({ 'm-Q4_0.gguf': bytes }, trouble);
    const [file] = models[0]?.files ?? [];
    if (!file) throw new Error('no file');
    const header = await readRemoteHeader(file, name, access);
    expect(header.metadata.get('llama.block_count')).toBe(layers);
    expect(header.dataStart).toBe(bytes.length - 8_000_000);
    const ranges = asked().map((request) => request.split(' ').at(-1));
    expect(ranges).toEqual(['bytes=0-1048575', 'bytes=1048576-4194303']);
  });
});
