import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelDirectory, Telemetry } from '../contract/services.ts';
import type { VectorModel } from '../generation/vectors.ts';
import { loadVectorModel } from '../engine/llama/embedding-load.ts';
import { completeProfile, readModelProfile } from '../models/profile.ts';

/** A model for vectors beside the chat model, or instead of it. */
export interface RunningVectors extends VectorModel {
  readonly profile: ModelProfile;
  dispose(): Promise<void>;
}

export interface VectorLoading {
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
  readonly progress: (fraction: number) => void;
}

/** `target` as in findModel. */
export async function loadVectors(
  target: string | undefined,
  { config, telemetry, signal, progress }: VectorLoading,
): Promise<RunningVectors> {
  const file = await readModelProfile(target);
  const loaded = await loadVectorModel({
    path: file.path,
    gpu: config.gpu,
    gpuLayers: config.gpuLayers,
    embedding: { maxTokens: config.ctxSize || undefined },
    signal,
    onProgress: progress,
    onNativeLog: (level, message) => telemetry.log(level === 'error' ? 'warn' : 'debug', message),
  });
  const profile = completeProfile(file, {
    vocabulary: loaded.vocabulary,
    contextSize: loaded.embedder.maxTokens,
    slots: 1,
    embeddingSize: loaded.embedder.dimensions,
  });
  return { id: profile.id, profile, embedder: loaded.embedder, ranker: loaded.ranker, dispose: loaded.dispose };
}

/**
 * Who gives the vectors for a name: the model that was loaded for them, unless the chat model is named; without one the
 * chat model itself. `chat` is undefined until it is loaded.
 */
export function chooseVectorModel(
  directory: ModelDirectory,
  running: { readonly chat: VectorModel | undefined; readonly vectors: RunningVectors | undefined },
  name: string | undefined,
): VectorModel {
  const { chat, vectors } = running;
  if (vectors && (name === undefined || !isNameOf(directory.list()[0], name) || !chat)) return vectors;
  // Throws for an unknown name where the server is strict, and while the model is loading.
  directory.resolve(name);
  if (chat) return chat;
  throw new ServeError('model_loading', 'The model is still loading.', { retryAfterSeconds: 2 });
}

function isNameOf(profile: ModelProfile | undefined, name: string): boolean {
  return profile !== undefined && (profile.id === name || profile.aliases.includes(name));
}
