import type { ModelProfile } from '../contract/model.ts';
import type { Sampling } from '../contract/request.ts';
import type { ResolvedSampling } from '../engine/engine.ts';

/** llama-server's defaults, so that a model answers here as its users know it. */
const serverDefaults = {
  temperature: 0.8,
  topP: 0.95,
  topK: 40,
  minP: 0.05,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
};

/** Request over the model's own recommendation over the server's defaults. A missing seed is drawn. */
export function resolveSampling(asked: Sampling, profile: ModelProfile, drawSeed: () => number): ResolvedSampling {
  const seed = asked.seed ?? drawSeed();
  return { ...serverDefaults, ...profile.recommendedSampling, ...asked, seed: seed >>> 0 };
}
