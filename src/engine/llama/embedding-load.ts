import type { VocabularyFacts } from '../../contract/model.ts';
import type { Embedder, Ranker } from '../embedder.ts';
import type { TokenText } from '../engine.ts';
import { createLlamaEmbedder, type EmbeddingOptions, yieldToEventLoop } from './embedding.ts';
import { createLlamaRanker } from './embedding-ranking.ts';
import { type LoadOptions, vocabularyFacts } from './load.ts';
import { nativeModel } from './native.ts';
import { openLlama } from './open-llama.ts';
import { createTokenText } from './token-text.ts';
import { loadWeights } from './weights.ts';

export type VectorLoadOptions = Pick<
  LoadOptions,
  'path' | 'gpu' | 'gpuLayers' | 'signal' | 'onProgress' | 'onNativeLog'
> & { readonly embedding?: EmbeddingOptions };

/** A model that is there for its vectors or scores only: no slots, no step loop. */
export interface LoadedVectorModel {
  readonly embedder: Embedder;
  /** undefined: the model has no ranking head. */
  readonly ranker: Ranker | undefined;
  readonly text: TokenText;
  readonly vocabulary: VocabularyFacts;
  dispose(): Promise<void>;
}

export async function loadVectorModel(options: VectorLoadOptions): Promise<LoadedVectorModel> {
  const llama = await openLlama(options);
  const model = await loadWeights(llama, options);
  const embedder = createLlamaEmbedder(model, options.embedding);
  const ranker = createLlamaRanker(model, options.embedding);
  return {
    embedder,
    ranker,
    text: createTokenText({ model: nativeModel(model), yieldToEventLoop }),
    vocabulary: vocabularyFacts(model),
    async dispose() {
      await Promise.all([embedder.dispose(), ranker?.dispose()]);
      await model.dispose();
    },
  };
}
