import { ServeError, stillLoading } from '../contract/errors.ts';
import type { ModelDirectory } from '../contract/services.ts';
import type { ModelRuntime, ModelUse, UseModel } from './runtime.ts';
import type { VectorModel } from './vector-services.ts';

/** A loaded model. */
export interface ServedModel {
  readonly vectors: VectorModel;
  /** Absent: it gives vectors alone. */
  readonly chat?: ModelRuntime;
}

/** Whether somebody waits for vectors of it. */
export function isGivingVectors({ vectors: { embedder, ranker } }: ServedModel): boolean {
  return embedder.busy || ranker?.busy === true;
}

/** The models as the conductor sees them. */
export interface ServedModels extends ModelDirectory {
  /** The name of the model that vectors come from when nobody names another that is there for them. */
  forVectors(): string | undefined;
  use(name: string | undefined, signal: AbortSignal): Promise<ModelUse<ServedModel>>;
}

/** One that generates. What cannot is refused before anything is loaded for it. */
export function chatModels(models: ServedModels): UseModel<ModelRuntime> {
  return async (name, signal) => {
    const { id, generates } = models.resolve(name);
    if (!generates) throw models.resolve(undefined).generates ? vectorsAlone(id) : nothingGenerates();
    const { runtime, release } = await models.use(name, signal);
    if (runtime.chat) return { runtime: runtime.chat, release };
    release();
    throw vectorsAlone(runtime.vectors.id);
  };
}

/**
 * One that gives vectors. Who is there for them goes before the chat models, whatever name is given, unless that is
 * another's such as it: clients that know one server name their chat model for everything.
 */
export function vectorModels(models: ServedModels): UseModel<VectorModel> {
  const meansVectors = (name: string | undefined) => {
    try {
      return !models.resolve(name).generates;
    } catch {
      return false; // nobody serves the name
    }
  };
  return async (name, signal) => {
    if (models.state() === 'loading') throw stillLoading();
    const own = models.forVectors();
    const meant = own !== undefined && !meansVectors(name) ? own : name;
    const { runtime, release } = await models.use(meant, signal);
    return { runtime: runtime.vectors, release };
  };
}

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
