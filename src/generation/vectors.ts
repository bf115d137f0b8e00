import { ServeError } from '../contract/errors.ts';
import type { EmbeddingService, RerankService } from '../contract/services.ts';
import type { Embedder, Ranker } from '../engine/embedder.ts';

/** What a loaded model can do besides generating. */
export interface VectorModel {
  readonly id: string;
  readonly embedder: Embedder;
  /** undefined: it has no ranking head. */
  readonly ranker: Ranker | undefined;
}

/** Where the models for vectors are found. `release` ends the use: a model in use is never unloaded. */
export interface VectorDirectory {
  /** The model that serves a name, loaded when need be; model_not_found and the like where there is none. */
  use(name: string | undefined, signal: AbortSignal): Promise<VectorUse>;
}

export interface VectorUse {
  readonly model: VectorModel;
  release(): void;
}

export function createEmbeddingService(directory: VectorDirectory): EmbeddingService {
  return {
    embed: ({ model: name, inputs, truncate, dimensions }, signal) =>
      using(directory, name, signal, async ({ id, embedder }) => {
        checkDimensions(dimensions, id, embedder.dimensions);
        return { model: id, embeddings: await embedder.embed(inputs, { truncate, signal }) };
      }),
  };
}

export function createRerankService(directory: VectorDirectory): RerankService {
  return {
    rank: ({ model: name, query, documents }, signal) =>
      using(directory, name, signal, async ({ id, ranker }) => {
        if (!ranker) throw noRanker(id);
        return { model: id, ...(await ranker.rank(query, documents, signal)) };
      }),
  };
}

async function using<T>(
  directory: VectorDirectory,
  name: string | undefined,
  signal: AbortSignal,
  work: (model: VectorModel) => Promise<T>,
): Promise<T> {
  const use = await directory.use(name, signal);
  try {
    return await work(use.model);
  } finally {
    use.release();
  }
}

function checkDimensions(asked: number | undefined, id: string, most: number): void {
  if (asked === undefined || asked <= most) return;
  throw new ServeError(
    'invalid_request',
    `\`dimensions\` is ${asked}, but the vectors of ${id} have ${most}. Ask for at most that many.`,
    { param: 'dimensions' },
  );
}

function noRanker(id: string): ServeError {
  return new ServeError(
    'invalid_request',
    `${id} is no ranking model. Start the server with --embedding-model FILE and a model made for reranking, such as bge-reranker-v2-m3.`,
    { param: 'model' },
  );
}
