import { type Config, loadWish } from '../config.ts';
import { loadVectorModel } from '../engine/thread/load-vectors.ts';

import type { ServedModel } from '../generation/served-model.ts';
import { withGpus } from '../models/gpus.ts';
import type { LoadedModel, LoadObserver } from '../models/loaded-model.ts';
import type { TriedLoad } from '../models/models.ts';
import { completeProfile } from '../models/profile.ts';

import { engineWorker } from './entries.ts';
import { computeWish, weightsWish } from './load-settings.ts';

/** A model that is there for its vectors alone. */
export async function loadVectors(
  { file, settings: own, isFirst }: TriedLoad,
  config: Config,
  observer: LoadObserver,
): Promise<LoadedModel<ServedModel>> {
  const wish = loadWish(config, own);
  const loaded = await loadVectorModel({
    ...weightsWish(file.path, config, { ...wish, devices: withGpus(wish.devices, own.gpuIds) }),
    ...{ entry: engineWorker, waitAtExit: config.waitAtExit },
    threads: config.threads,
    pool: computeWish(config, own).pool,
    // The context of a chat server is no wish for the model beside it.
    maxTokens: own.contextSize ?? (isFirst ? config.ctxSize || undefined : undefined),
    signal: observer.signal,
    onProgress: (fraction) => observer.progress('load', fraction),
  });
  const { embedder, ranker, vocabulary, dispose } = loaded;
  const facts = { vocabulary, contextSize: embedder.maxTokens, slots: 1, embeddingSize: embedder.dimensions };
  const profile = completeProfile(file, facts);
  return {
    runtime: { vectors: { id: profile.id, embedder, ranker } },
    profile,
    features: noFeatures,
    device: 'embeddings only',
    slots: () => [],
    dispose,
  };
}

const noFeatures = {
  supportsTools: false,
  supportsReasoning: false,
  reasoningStyle: undefined,
  reasoningAlwaysOn: false,
  supportsPreserveThinking: false,
};
