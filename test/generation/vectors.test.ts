import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { Embedder, Ranker } from '../../src/engine/embedder.ts';
import type { UseModel } from '../../src/generation/runtime.ts';
import { createEmbeddingService, createRerankService, type VectorModel } from '../../src/generation/vector-services.ts';

const caller = { owner: 'ann', signal: new AbortController().signal };

const embedder: Embedder = {
  dimensions: 2,
  pooling: 'mean',
  maxTokens: 8,
  busy: false,
  embed: async (inputs, { truncate }) => {
    if (inputs.includes('bad')) throw new ServeError('context_length_exceeded', 'too long');
    return inputs.map((input) => ({
      vector: input.length === 0 ? [] : [input.length, truncate ? 1 : 0],
      tokens: input.length,
    }));
  },
  dispose: async () => undefined,
};
const ranker: Ranker = {
  maxTokens: 8,
  busy: false,
  rank: async (_query, documents) => ({ scores: documents.map(() => 0.5), tokens: 3 }),
  dispose: async () => undefined,
};

/** Counts the uses that were not given back. */
function usesOf(model: { ranker: Ranker | undefined }) {
  const held = { count: 0, names: [] as (string | undefined)[] };
  const useModel: UseModel<VectorModel> = async (name) => {
    held.names.push(name);
    held.count += 1;
    return { runtime: { id: 'vectors', embedder, ...model }, release: () => held.count-- };
  };
  return { useModel, held };
}

describe('the embedding service', () => {
  const call = { model: 'm', inputs: ['ab', 'c'], truncate: true, dimensions: 2 };

  it('answers with the vectors of the model that serves the name, and lets go of it', async () => {
    const { useModel, held } = usesOf({ ranker: undefined });
    expect(await createEmbeddingService(useModel).embed(call, caller)).toEqual({
      model: 'vectors',
      embeddings: [
        { vector: [2, 1], tokens: 2 },
        { vector: [1, 1], tokens: 1 },
      ],
    });
    expect(held).toEqual({ count: 0, names: ['m'] });
  });

  it('refuses more dimensions than there are, and lets go of the model', async () => {
    const { useModel, held } = usesOf({ ranker: undefined });
    await expect(createEmbeddingService(useModel).embed({ ...call, dimensions: 3 }, caller)).rejects.toMatchObject({
      code: 'invalid_request',
      message: '`dimensions` is 3, but the vectors of vectors have 2. Ask for at most that many.',
      details: { param: 'dimensions' },
    });
    expect(held.count).toBe(0);
  });

  it('lets go of the model when an input is refused', async () => {
    const { useModel, held } = usesOf({ ranker: undefined });
    const refused = createEmbeddingService(useModel).embed({ ...call, inputs: ['bad'] }, caller);
    await expect(refused).rejects.toMatchObject({ code: 'context_length_exceeded' });
    expect(held.count).toBe(0);
  });
});

describe('what has no vector', () => {
  const call = { model: undefined, truncate: true, dimensions: undefined };

  it('is a model that ranks', async () => {
    const { useModel, held } = usesOf({ ranker });
    await expect(createEmbeddingService(useModel).embed({ ...call, inputs: ['a'] }, caller)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/is a ranking model.*\/v1\/rerank/),
      details: { param: 'model' },
    });
    expect(held.count).toBe(0);
  });

  it('is a text without a token, in the midst of others', async () => {
    const { useModel } = usesOf({ ranker: undefined });
    const embed = (inputs: string[]) => createEmbeddingService(useModel).embed({ ...call, inputs }, caller);
    await expect(embed(['a', '', 'b'])).rejects.toMatchObject({
      code: 'invalid_request',
      details: { param: 'input[1]' },
    });
    expect(await embed([])).toEqual({ model: 'vectors', embeddings: [] });
  });
});

describe('the rerank service', () => {
  const call = { model: undefined, query: 'q', documents: ['a', 'b'] };

  it('answers with the scores and the name of the model', async () => {
    const { useModel, held } = usesOf({ ranker });
    expect(await createRerankService(useModel).rank(call, caller)).toEqual({
      model: 'vectors',
      scores: [0.5, 0.5],
      tokens: 3,
    });
    expect(held.count).toBe(0);
  });

  it('says what is missing where the model cannot rank', async () => {
    const { useModel, held } = usesOf({ ranker: undefined });
    await expect(createRerankService(useModel).rank(call, caller)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('--embedding-model FILE'),
      details: { param: 'model' },
    });
    expect(held.count).toBe(0);
  });
});
