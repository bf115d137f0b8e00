import { ServeError } from '../contract/errors.ts';
import type { ModelDirectory, ServerState } from '../contract/services.ts';
import type { ModelRuntime, RuntimeDirectory } from '../generation/runtime.ts';

export interface SingleModel extends ModelDirectory, RuntimeDirectory {
  serve(runtime: ModelRuntime): void;
  /** What is loaded now. */
  runtimes(): readonly ModelRuntime[];
  setState(state: ServerState): void;
}

/** One model for every name; with `strict` only for its own. */
export function createSingleModel(strict: boolean): SingleModel {
  let state: ServerState = 'loading';
  let served: ModelRuntime | undefined;

  const find = (name: string | undefined): ModelRuntime => {
    if (!served) throw new ServeError('model_loading', 'The model is still loading.', { retryAfterSeconds: 2 });
    const { id, aliases } = served.profile;
    if (strict && name !== undefined && name !== id && !aliases.includes(name)) {
      throw new ServeError(
        'model_not_found',
        `There is no model ${name} here. Served: ${[id, ...aliases].join(', ')}.`,
        {
          param: 'model',
        },
      );
    }
    return served;
  };

  return {
    state: () => state,
    runtimes: () => (served ? [served] : []),
    list: () => (served ? [served.profile] : []),
    resolve: (name) => find(name).profile,
    use: async (name) => ({ runtime: find(name), release: () => undefined }),
    serve(runtime) {
      served = runtime;
      state = 'ready';
    },
    setState(next) {
      state = next;
    },
  };
}
