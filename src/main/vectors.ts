import { ServeError } from '../contract/errors.ts';
import type { Telemetry } from '../contract/services.ts';
import type { LoadedEngine } from '../engine/load-options.ts';
import { loadVectorModel } from '../engine/thread/load-vectors.ts';
import type { ModelRuntime } from '../generation/runtime.ts';
import type { VectorDirectory } from '../generation/vectors.ts';
import { cannotGenerate, completeProfile, type FileProfile } from '../models/profile.ts';
import { engineWorker } from './entries.ts';
import { computeWish, type LoadSettings, weightsWish } from './load-settings.ts';
import type { RunningVectors, ServedDirectory } from './served-model.ts';

export interface VectorLoading extends LoadSettings {
  readonly telemetry: Telemetry;
  /** Longest input; undefined: what suits the model. */
  readonly maxTokens?: number | undefined;
  readonly signal: AbortSignal;
  readonly progress: (fraction: number) => void;
}

/** The models that give vectors: those loaded for them, and the chat models. */
export interface Vectors extends VectorDirectory {
  /** A chat model gives vectors too; its contexts are made on first use. Gives what ends that, before the model goes. */
  serveChat(runtime: ModelRuntime, loaded: LoadedEngine): () => Promise<void>;
  /** A model that was loaded for vectors only, besides others. Gives what ends that. */
  serveAlone(running: RunningVectors): () => Promise<void>;
  /** Whether somebody waits for vectors. */
  readonly busy: boolean;
}

export function createVectors(directory: ServedDirectory): Vectors {
  /** By the id of the chat model. */
  const chats = new Map<string, RunningVectors>();
  /** Loaded for vectors only. */
  const alone = new Set<RunningVectors>();
  return {
    async use(name, signal) {
      if (directory.state() === 'loading') throw stillLoading();
      const { runtime: served, release } = await directory.use(vectorModelFor(name, directory), signal);
      const model = served.type === 'vectors' ? served.vectors : chats.get(served.runtime.profile.id);
      if (model) return { model, release };
      release();
      throw stillLoading();
    },
    serveChat({ profile }, loaded) {
      const { embedder, ranker } = loaded.openVectors();
      const dispose = async () => void (await Promise.all([embedder.dispose(), ranker?.dispose()]));
      const chat = { id: profile.id, embedder, ranker, dispose };
      chats.set(profile.id, chat);
      return async () => {
        if (chats.get(profile.id) === chat) chats.delete(profile.id);
        await dispose();
      };
    },
    serveAlone(running) {
      alone.add(running);
      return async () => {
        alone.delete(running);
        await running.dispose();
      };
    },
    get busy() {
      return [...chats.values(), ...alone].some(({ embedder, ranker }) => embedder.busy || ranker?.busy);
    },
  };
}

/**
 * One that is there for vectors goes before the chat models, whatever name is given, unless that is another's such as it:
 * clients that know one server name their chat model for everything.
 */
function vectorModelFor(name: string | undefined, directory: ServedDirectory): string | undefined {
  const own = directory.forVectors();
  return own !== undefined && !meansVectors(name, directory) ? own : name;
}

function meansVectors(name: string | undefined, directory: ServedDirectory): boolean {
  try {
    return cannotGenerate(directory.resolve(name));
  } catch {
    return false; // nobody serves the name
  }
}

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
  const running: RunningVectors = { id: profile.id, embedder, ranker, dispose };
  return { running, profile };
}

function stillLoading(): ServeError {
  return new ServeError('model_loading', 'The model is still loading.', { retryAfterSeconds: 2 });
}
