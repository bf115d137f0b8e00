import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelDirectory, ServerState } from '../contract/services.ts';

export interface VectorsOnly extends ModelDirectory {
  use(name: string | undefined, signal: AbortSignal): Promise<never>;
  serve(profile: ModelProfile): void;
  setState(state: ServerState): void;
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
