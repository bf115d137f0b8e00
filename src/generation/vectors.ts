import { ServeError } from '../contract/errors.ts';
import type { EmbeddingService, RerankService } from '../contract/services.ts';
import type { Embedder, Ranker } from '../engine/embedder.ts';

/** What a loaded model can do besides generating. */
export interface VectorModel {
  readonly id: string;
  /** undefined: it is served for ranking only. */
  readonly embedder: Embedder | undefined;
  /** undefined: it has no ranking head. */
  readonly ranker: Ranker | undefined;
}

/** The model that serves a name; model_not_found and the like where there is none. */
export type FindVectorModel = (name: string | undefined) => VectorModel;

export function createEmbeddingService(find: FindVectorModel): EmbeddingService {
  const embedderOf = (name: string | undefined): { readonly id: string; readonly embedder: Embedder } => {
    const { id, embedder } = find(name);
    if (embedder) return { id, embedder };
    throw unable(
      'model',
      `${id} ranks documents and gives no embeddings. Start the server with --embedding-model FILE.`,
    );
  };
  return {
    resolve(name) {
      const { id, embedder } = embedderOf(name);
      return { id, dimensions: embedder.dimensions, maxTokens: embedder.maxTokens };
    },
    // async, so that what `find` throws reaches the caller as every other failure does.
    embed: async (name, inputs, options) => embedderOf(name).embedder.embed(inputs, options),
  };
}

export function createRerankService(find: FindVectorModel): RerankService {
  const rankerOf = (name: string | undefined): { readonly id: string; readonly ranker: Ranker } => {
    const { id, ranker } = find(name);
    if (ranker) return { id, ranker };
    throw unable(
      'model',
      `${id} is no ranking model. Start the server with --embedding-model FILE and a model made for reranking, such as bge-reranker-v2-m3.`,
    );
  };
  return {
    resolve: (name) => rankerOf(name).id,
    rank: async (name, query, documents, signal) => rankerOf(name).ranker.rank(query, documents, signal),
  };
}

function unable(param: string, message: string): ServeError {
  return new ServeError('invalid_request', message, { param });
}
