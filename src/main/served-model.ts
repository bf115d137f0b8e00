import type { ModelFeatures } from '../contract/control.ts';
import { ServeError } from '../contract/errors.ts';
import type { ModelDirectory } from '../contract/services.ts';
import type { ModelRuntime, RuntimeDirectory } from '../generation/runtime.ts';
import type { VectorModel } from '../generation/vectors.ts';
import { cannotGenerate } from '../models/profile.ts';

/** A model that gives vectors. */
export interface RunningVectors extends VectorModel {
  dispose(): Promise<void>;
}

/** What a loaded model is there for: it generates (and gives vectors too), or it gives vectors alone. */
export type ServedModel =
  | { readonly type: 'chat'; readonly runtime: ModelRuntime }
  | { readonly type: 'vectors'; readonly vectors: RunningVectors };

/** Any model by its name. `release` ends the use. */
export interface ServedDirectory extends ModelDirectory {
  /** The name of the model that vectors come from when nobody names another that is there for them. */
  forVectors(): string | undefined;
  use(
    name: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly runtime: ServedModel; readonly release: () => void }>;
}

/** The models as whoever generates sees them. One that cannot is refused before anything is loaded for it. */
export function chatDirectory(directory: ServedDirectory): RuntimeDirectory {
  return {
    async use(name, signal) {
      const profile = directory.resolve(name);
      if (cannotGenerate(profile)) {
        throw cannotGenerate(directory.resolve(undefined)) ? nothingGenerates() : vectorsAlone(profile.id);
      }
      const { runtime: served, release } = await directory.use(name, signal);
      if (served.type === 'chat') return { runtime: served.runtime, release };
      release();
      throw vectorsAlone(served.vectors.id);
    },
  };
}

export function featuresOf(served: ServedModel): ModelFeatures {
  if (served.type === 'vectors') return noFeatures;
  const { supportsTools, supportsReasoning, reasoningStyle, reasoningAlwaysOn, supportsPreserveThinking } =
    served.runtime.renderer.capabilities;
  const hasAdapters = served.runtime.adapters !== undefined;
  return { supportsTools, supportsReasoning, reasoningStyle, reasoningAlwaysOn, supportsPreserveThinking, hasAdapters };
}

const noFeatures: ModelFeatures = {
  supportsTools: false,
  supportsReasoning: false,
  reasoningStyle: undefined,
  reasoningAlwaysOn: false,
  supportsPreserveThinking: false,
};

function nothingGenerates(): ServeError {
  return new ServeError(
    'not_implemented',
    'This server gives embeddings and ranks only: it was started with --embeddings, or with a model that cannot generate. Start one with a chat model.',
  );
}

function vectorsAlone(id: string): ServeError {
  return new ServeError(
    'invalid_request',
    `${id} gives embeddings and ranks only, it cannot generate. Name a chat model, or ask /v1/embeddings.`,
    { param: 'model' },
  );
}
