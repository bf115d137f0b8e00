import { resolve } from 'node:path';
import type { Engine, EngineJob, GeneratedToken, RunResult } from '../../src/engine/engine.ts';
import type { LoadedEngine } from '../../src/engine/load-options.ts';
import { loadModel, type ThreadLoadOptions } from '../../src/engine/thread/load.ts';
import { findLibrary } from '../../src/native/find-library.ts';
import { engineWorker } from './compiled-entries.ts';

export const demoModelPath = resolve(import.meta.dirname, '../../models/serve-model-demo.gguf');

/** The demo model as tests load it, in whichever process. */
export const demoLoadOptions = {
  path: demoModelPath,
  library: findLibrary(false),
  parameters: { gpuLayers: 0 },
  contextSize: 2048,
  slots: 4,
  threads: 1,
  flashAttention: false,
  stepTargetMs: 50,
  onProgress: () => undefined,
  onFailure: (error: unknown) => {
    throw error;
  },
} as const;

export function loadDemoModel(changes: Partial<ThreadLoadOptions> = {}): Promise<LoadedEngine> {
  return loadModel({
    waitAtExit: true,
    ...demoLoadOptions,
    entry: engineWorker,
    clock: () => performance.now(),
    signal: new AbortController().signal,
    ...changes,
  });
}

export const greedy = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: 1,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
} as const;

export interface Answer {
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  readonly result: RunResult;
  readonly cachedTokens: number;
}

/** Runs one job to its end and reads its text. */
export async function answer(
  engine: Engine,
  prompt: readonly number[],
  changes: Partial<EngineJob> = {},
): Promise<Answer> {
  const tokens: GeneratedToken[] = [];
  const run = engine.run({
    slot: 0,
    prompt,
    reuse: 0,
    sampling: greedy,
    maxTokens: 200,
    ignoreEos: false,
    signal: new AbortController().signal,
    ...changes,
    onToken(token) {
      tokens.push(token);
      return changes.onToken?.(token) ?? { type: 'continue' };
    },
  });
  const result = await run.done;
  return { text: textOf(engine, tokens), tokens, result, cachedTokens: run.cachedTokens };
}

function textOf(engine: Engine, tokens: readonly GeneratedToken[]): string {
  return Buffer.concat(tokens.map(({ token }) => engine.text.bytes(token))).toString('utf8');
}
