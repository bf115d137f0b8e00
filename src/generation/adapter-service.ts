import { ServeError } from '../contract/errors.ts';
import type { AdapterService, ModelDirectory } from '../contract/services.ts';
import { Adapters } from './adapters.ts';
import type { ModelRuntime } from './runtime.ts';

/** The adapters of the models that are loaded, by the names that requests use. */
export function createAdapterService(
  models: Pick<ModelDirectory, 'resolve'>,
  runtimes: () => readonly ModelRuntime[],
): AdapterService {
  const meant = (model: string | undefined): Adapters => {
    const { id } = models.resolve(model);
    const runtime = runtimes().find(({ profile }) => profile.id === id);
    if (!runtime) throw new ServeError('model_not_loaded', `${id} is not loaded: load it first.`, { param: 'model' });
    return runtime.adapters ?? new Adapters([]);
  };
  return {
    list: (model) => meant(model).list(),
    set: (model, scales) => meant(model).set(scales),
  };
}
