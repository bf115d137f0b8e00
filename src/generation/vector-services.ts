import { ServeError } from '../contract/errors.ts';
import type { Embedding, EmbeddingService, RerankService } from '../contract/services.ts';
import type { Embedder, Ranker } from '../engine/embedder.ts';
import { type UseModel, using } from './runtime.ts';

/** What a loaded model can do besides generating. */
export interface VectorModel {
  readonly id: string;
  readonly embedder: Embedder;
  /** undefined: it has no ranking head. */
  readonly ranker: Ranker | undefined;
}

export function createEmbeddingService(useModel: UseModel<VectorModel>): EmbeddingService {
  return {
    embed: ({ model: name, inputs, truncate, dimensions }, caller) =>
      using(useModel(name, caller.signal), async ({ runtime: { id, embedder, ranker } }) => {
        if (ranker) throw noEmbedder(id);
        checkDimensions(dimensions, id, embedder.dimensions);
        const embeddings = await embedder.embed(inputs, { truncate, ...caller });
        refuseEmpty(embeddings, id);
        return { model: id, embeddings };
      }),
  };
}

export function createRerankService(useModel: UseModel<VectorModel>): RerankService {
  return {
    rank: ({ model: name, query, documents }, caller) =>
      using(useModel(name, caller.signal), async ({ runtime: { id, ranker } }) => {
        if (!ranker) throw noRanker(id);
        return { model: id, ...(await ranker.rank(query, documents, caller)) };
      }),
  };
}

function checkDimensions(asked: number | undefined, id: string, most: number): void {
  if (asked === undefined || asked <= most) return;
  throw new ServeError(
    'invalid_request',
    `\`dimensions\` is ${asked}, but the vectors of ${id} have ${most}. Ask for at most that many.`,
    { param: 'dimensions' },
  );
}

/** A text without a token has no vector, and a place left empty would be taken for one. */
function refuseEmpty(embeddings: readonly Embedding[], id: string): void {
  const index = embeddings.findIndex(({ vector }) => vector.length === 0);
  if (index < 0) return;
  throw new ServeError(
    'invalid_request',
    `\`input[${index}]\` is empty: ${id} makes no token of it, so it has no vector. Leave it out.`,
    { param: `input[${index}]` },
  );
}

/** Its one number is a score of a question with its answer, and says nothing about a text alone. */
function noEmbedder(id: string): ServeError {
  return new ServeError(
    'invalid_request',
    `${id} is a ranking model: it gives scores and no vectors. Send the texts to /v1/rerank, or name a model that gives embeddings.`,
    { param: 'model' },
  );
}

function noRanker(id: string): ServeError {
  return new ServeError(
    'invalid_request',
    `${id} is no ranking model. Start the server with --embedding-model FILE and a model made for reranking, such as bge-reranker-v2-m3.`,
    { param: 'model' },
  );
}
