import { loadVectorModel } from '../engine/thread/load-vectors.ts';
import type { VectorModel } from '../generation/vectors.ts';
import { completeProfile, type FileProfile } from '../models/profile.ts';
import { engineWorker } from './entries.ts';
import { computeWish, type LoadSettings, weightsWish } from './load-settings.ts';

export interface VectorLoading extends LoadSettings {
  /** Longest input; undefined: what suits the model. */
  readonly maxTokens?: number | undefined;
  readonly signal: AbortSignal;
  readonly progress: (fraction: number) => void;
}

/** A model that is there for its vectors alone. */
export async function loadVectors(file: FileProfile, { maxTokens, signal, progress, ...load }: VectorLoading) {
  const loaded = await loadVectorModel({
    ...weightsWish(file.path, load),
    entry: engineWorker,
    threads: load.config.threads,
    pool: computeWish(load).pool,
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
