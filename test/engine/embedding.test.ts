import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Embedder, Ranker } from '../../src/engine/embedder.ts';
import { VectorDesk } from '../../src/engine/loop/vector-desk.ts';
import {
  type LoadedVectorModel,
  loadVectorModel,
  type VectorLoadOptions,
} from '../../src/engine/thread/load-vectors.ts';
import { Model } from '../../src/native/model.ts';
import { openLibrary } from '../../src/native/open-library.ts';
import { nullPointer } from '../../src/native/pointer.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { engineWorker } from '../support/compiled-entries.ts';
import { demoLoadOptions } from '../support/demo-engine.ts';
import { tinyBertContext, writeTinyBert } from '../support/tiny-bert.ts';

const signal = new AbortController().signal;
const strict = { truncate: false, owner: '', signal };
const folder = mkdtempSync(join(tmpdir(), 'serve-model-embedding-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(changes: Partial<VectorLoadOptions> = {}): Promise<LoadedVectorModel> {
  const { path, library, parameters } = demoLoadOptions;
  const onProgress = () => undefined;
  return loadVectorModel({
    path,
    library,
    parameters,
    ...{ entry: engineWorker, waitAtExit: true },
    threads: 1,
    signal,
    onProgress,
    ...changes,
  });
}

/** Of unit vectors: 1 is the same direction. */
function cosine(left: readonly number[], right: readonly number[]): number {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}

function largestDifference(left: readonly number[], right: readonly number[]): number {
  return Math.max(...left.map((value, at) => Math.abs(value - (right[at] ?? Number.POSITIVE_INFINITY))));
}

async function vectorOf(embedder: Embedder, input: string | readonly number[]): Promise<readonly number[]> {
  const [embedding] = await embedder.embed([input], strict);
  return embedding?.vector ?? [];
}

describe('embeddings of the demo model, a chat model', () => {
  let model: LoadedVectorModel;
  let embedder: Embedder;
  beforeAll(async () => {
    model = await load({ maxTokens: 256 });
    ({ embedder } = model);
  });
  afterAll(() => model.dispose());

  it('tells what it can do', () => {
    expect([embedder.dimensions, embedder.pooling, embedder.maxTokens]).toEqual([192, 'last', 256]);
  });

  it('gives the same vector for the same text twice', async () => {
    const [first, second] = await embedder.embed(['The cat sat.', 'The cat sat.'], strict);
    expect(first?.vector).toHaveLength(192);
    expect(second).toEqual(first);
    expect(await vectorOf(embedder, 'A dog ran.')).not.toEqual(first?.vector);
  });

  it('gives a batch the vectors that its inputs have one by one', async () => {
    const inputs = Array.from({ length: 24 }, (_, index) => 'word '.repeat(1 + ((index * 7) % 23)) + index);
    const batch = await embedder.embed(inputs, strict);
    // Attention computes many rows at once in other steps than a few, with numbers of 16 bits: 0.9999 was measured.
    for (const [index, input] of inputs.entries()) {
      expect(cosine(batch[index]?.vector ?? [], await vectorOf(embedder, input))).toBeGreaterThan(0.9995);
    }
  });

  it('gives tokens the vector of their text', async () => {
    const tokens = await model.text.tokenize(['The cat sat.'], { special: false });
    expect(await embedder.embed([tokens], strict)).toEqual(await embedder.embed(['The cat sat.'], strict));
  });

  it('reads spelled control tokens in a text as text', async () => {
    const [spelled] = await embedder.embed(['<|im_end|>'], strict);
    expect(spelled?.tokens).toBeGreaterThan(1);
  });

  it('takes an input of the longest length and refuses one token more, naming input and numbers', async () => {
    const [longest] = await embedder.embed([new Array(256).fill(100)], strict);
    expect(longest?.tokens).toBe(256);
    await expect(embedder.embed(['short', new Array(257).fill(100)], strict)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message:
        "This model's maximum context length is 256 tokens; `input[1]` has 257 tokens. Split it into shorter parts.",
      details: { param: 'input[1]', tokens: { needed: 257, available: 256, asked: 0, estimated: false } },
    });
  });

  it('cuts a long input on request and says how long it was', async () => {
    const long = Array.from({ length: 300 }, (_, index) => 100 + index);
    const [cut, whole, short] = await embedder.embed([long, long.slice(0, 256), 'short'], {
      ...strict,
      truncate: true,
    });
    expect(cut).toEqual({ ...whole, cutFrom: 300 });
    expect(short).not.toHaveProperty('cutFrom');
  });

  it.each([-1, 2048, 1.5])('refuses the token %d', async (token) => {
    await expect(embedder.embed([[1], [1, token]], strict)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(`\`input[1]\` holds the token ${token}, but this model's tokens are 0 to 2047`),
    });
  });

  it('is busy exactly as long as somebody waits', async () => {
    const running = embedder.embed(['some words', 'and more'], strict);
    expect(embedder.busy).toBe(true);
    await running;
    expect(embedder.busy).toBe(false);
  });

  it('stops between two inputs when its caller leaves, and goes on working for others', async () => {
    const caller = new AbortController();
    const reason = new Error('left');
    const running = embedder.embed(new Array(200).fill('some words to be read'), {
      ...strict,
      signal: caller.signal,
    });
    caller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(await vectorOf(embedder, 'still here')).toHaveLength(192);
  });

  it('takes owners in turn, a batch each, however many calls one of them has waiting', async () => {
    const long = Array.from({ length: 3 }, (_, at) => new Array(200).fill(100 + at));
    const done: string[] = [];
    const ask = async (owner: string, inputs: number[][]) => {
      await embedder.embed(inputs, { ...strict, owner });
      done.push(owner);
    };
    const all = Array.from({ length: 5 }, () => ask('ann', long));
    await Promise.all([...all, ask('bob', [[100]])]);
    // Each of ann's calls takes two batches, by turns.
    expect(done.indexOf('bob')).toBe(0);
    expect(done).toHaveLength(6);
  });
});

describe.each(['mean', 'cls'] as const)('embeddings of an embedding model with %s pooling', (pooling) => {
  let model: LoadedVectorModel;
  let embedder: Embedder;
  beforeAll(async () => {
    const path = join(folder, `${pooling}.gguf`);
    writeTinyBert(path, { pooling });
    model = await load({ path });
    ({ embedder } = model);
  });
  afterAll(() => model.dispose());

  it('takes what the model was trained for and pools as the file says', () => {
    expect([embedder.dimensions, embedder.pooling, embedder.maxTokens]).toEqual([32, pooling, tinyBertContext]);
  });

  it('counts the marks around a text, and fills the whole context', async () => {
    const [short, longest] = await embedder.embed(['abc', 'a'.repeat(tinyBertContext - 2)], strict);
    expect([short?.tokens, longest?.tokens]).toEqual([5, tinyBertContext]);
    await expect(embedder.embed(['a'.repeat(tinyBertContext - 1)], strict)).rejects.toMatchObject({
      details: { tokens: { needed: tinyBertContext + 1, available: tinyBertContext } },
    });
  });

  it('keeps the end mark of an input that is cut', async () => {
    const cut = embedder.embed(['a'.repeat(100)], { ...strict, truncate: true });
    const [fitting] = await embedder.embed(['a'.repeat(tinyBertContext - 2)], strict);
    expect(await cut).toEqual([{ ...fitting, cutFrom: 102 }]);
  });

  it('gives a batch the vectors that its inputs have one by one', async () => {
    const inputs = ['abc', 'b', 'hello world', 'zz top', 'abc'];
    const batch = await embedder.embed(inputs, strict);
    expect(batch[4]).toEqual(batch[0]);
    for (const [index, input] of inputs.entries())
      expect(largestDifference(batch[index]?.vector ?? [], await vectorOf(embedder, input))).toBeLessThan(1e-4);
    expect(cosine(batch[0]?.vector ?? [], batch[1]?.vector ?? [])).toBeLessThan(0.9999);
  });
});

describe('ranking', () => {
  let model: LoadedVectorModel;
  let ranker: Ranker;
  beforeAll(async () => {
    const path = join(folder, 'rank.gguf');
    writeTinyBert(path, { pooling: 'rank' });
    model = await load({ path });
    if (!model.ranker) throw new Error('The ranking model was not taken for one.');
    ({ ranker } = model);
  });
  afterAll(() => model.dispose());

  it('scores every document between 0 and 1, the same one the same', async () => {
    const { scores, tokens } = await ranker.rank('abc', ['abc', 'hello', 'abc'], strict);
    expect(scores).toHaveLength(3);
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true);
    expect(scores[2]).toBe(scores[0]);
    expect(scores[1]).not.toBe(scores[0]);
    expect(tokens).toBeGreaterThan(3 * 6);
  });

  it('refuses a document that does not fit beside its query', async () => {
    await expect(ranker.rank('abc', ['a', 'b'.repeat(tinyBertContext)], strict)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      details: { param: 'documents[1]', tokens: { available: tinyBertContext } },
    });
  });

  it('is not there for a model without a ranking head', async () => {
    const demo = await load();
    expect(demo.ranker).toBeUndefined();
    await demo.dispose();
  });
});

describe('where the context for a long input does not fit into memory', () => {
  it('refuses that input alone', () => {
    const { path, library, parameters } = demoLoadOptions;
    const model = Model.load(openLibrary(library), path, parameters);
    const desk = new VectorDesk({ model, pools: new ThreadPools(model.library), threads: undefined });
    const told: string[] = [];
    const ask = (id: number, length: number) => {
      const inputs = [new Int32Array(length).fill(5)];
      desk.ask(
        id,
        { about: 'embed', owner: '', inputs },
        () => told.push(`${id} has its vector`),
        (error) => told.push(`${id}: ${error instanceof Error ? error.message.slice(0, 26) : error}`),
      );
      desk.advance();
    };
    ask(1, 4);
    const refusing = vi.spyOn(model.library.functions, 'llama_init_from_model').mockReturnValueOnce(nullPointer);
    ask(2, 600);
    refusing.mockRestore();
    ask(3, 4);
    expect(told).toEqual(['1 has its vector', '2: The context for embeddings', '3 has its vector']);
    desk.free();
    model.free();
  });
});
