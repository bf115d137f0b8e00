import type { ModelDirectory } from '../contract/services.ts';
import { createLlamaEmbedder } from '../engine/llama/embedding.ts';
import { createLlamaRanker } from '../engine/llama/embedding-ranking.ts';
import type { LoadedModel } from '../engine/llama/load.ts';
import type { VectorModel } from '../generation/vectors.ts';

export interface VectorModels {
  find(name: string | undefined): VectorModel;
  serve(model: LoadedModel['model']): void;
  dispose(): Promise<void>;
}

/** The served model's vectors; their contexts are made on first use. */
export function createVectorModels(models: ModelDirectory): VectorModels {
  let served: Omit<VectorModel, 'id'> | undefined;
  return {
    find(name) {
      const { id } = models.resolve(name);
      return { id, embedder: served?.embedder, ranker: served?.ranker };
    },
    serve(model) {
      served = { embedder: createLlamaEmbedder(model), ranker: createLlamaRanker(model) };
    },
    async dispose() {
      await served?.embedder?.dispose();
      await served?.ranker?.dispose();
    },
  };
}
