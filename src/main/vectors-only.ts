import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelDirectory, ServerState } from '../contract/services.ts';
import type { RuntimeDirectory } from '../generation/runtime.ts';

export interface VectorsOnly extends ModelDirectory, RuntimeDirectory {
  serve(profile: ModelProfile): void;
  setState(state: ServerState): void;
}

/** The directory of a server with --embeddings: its one model is there for vectors, nothing generates. */
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
        'This server was started with --embeddings and serves embeddings and reranking only. Start it without that flag to generate.',
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
