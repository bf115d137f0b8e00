import type { Config } from '../config.ts';
import type { LoadWish } from '../contract/load-wish.ts';
import { loadVectorModel } from '../engine/thread/load-vectors.ts';
import type { VectorModel } from '../generation/vector-services.ts';
import { completeProfile, type FileProfile } from '../models/profile.ts';
import { engineWorker } from './entries.ts';
import { computeWish, weightsWish } from './load-settings.ts';

export interface VectorLoading {
  readonly config: Config;
  readonly wish: LoadWish;
  /** Longest input; undefined: what suits the model. */
  readonly maxTokens?: number | undefined;
  readonly signal: AbortSignal;
  readonly progress: (fraction: number) => void;
}

/** A model that is there for its vectors alone. */
export async function loadVectors(file: FileProfile, { config, wish, maxTokens, signal, progress }: VectorLoading) {
  const loaded = await loadVectorModel({
    ...weightsWish(file.path, config, wish),
    entry: engineWorker,
    threads: config.threads,
    pool: computeWish(config, {}).pool,
    maxTokens,
    signal,
    onProgress: progress,
  });
  const { embedder, ranker, dispose } = loaded;
  const profile = completeProfile(file, {
    vocabulary: loaded.vocabulary,
    contextSize: embedder.maxTokens,
    slots: 1,
    embeddingSize: embedder.dimensions,
  });
  const vectors: VectorModel = { id: profile.id, embedder, ranker };
  return { vectors, profile, dispose };
}
