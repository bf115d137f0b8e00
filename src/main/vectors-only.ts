import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelDirectory, ServerState } from '../contract/services.ts';
import type { RuntimeDirectory } from '../generation/runtime.ts';
import type { FileProfile } from '../models/profile.ts';

export interface VectorsOnly extends ModelDirectory, RuntimeDirectory {
  serve(profile: ModelProfile): void;
  setState(state: ServerState): void;
}

/** A model whose attention sees the whole input has no next token to tell: it is there for vectors, whoever loads it. */
export function cannotGenerate({ metadata, architecture }: FileProfile): boolean {
  return metadata[`${architecture}.attention.causal`] === false;
}

/** The directory of a server whose one model is there for vectors only: nothing generates. */
export function createVectorsOnly(): VectorsOnly {
  let state: ServerState = 'loading';
  let served: ModelProfile | undefined;
  return {
    state: () => state,
    list: () => (served ? [served] : []),
    resolve() {
      if (served) return served;
      throw new ServeError('model_loading', 'The model is still loading.', { retryAfterSeconds: 2 });
    },
    use: async () => {
      throw new ServeError(
        'not_implemented',
        'This server gives embeddings and ranks only: it was started with --embeddings, or with a model that cannot generate. Start one with a chat model.',
      );
    },
    serve(profile) {
      served = profile;
      state = 'ready';
    },
    setState(next) {
      state = next;
    },
  };
}
