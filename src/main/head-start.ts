import type { Config } from '../config.ts';
import { openLlama } from '../engine/llama/open-llama.ts';
import { beginWeights, type EarlyWeights } from '../engine/llama/weights.ts';
import { bundledModelPath } from '../models/find-model.ts';
import { isKnownSound } from '../models/probe.ts';
import { cannotGenerate, type FileProfile, readModelProfile } from '../models/profile.ts';
import { createFileMemory, memoryFile } from './system.ts';

/** What begins before the rest of the program is read, which takes as long as many a model's load. */
export interface HeadStart {
  /** Of the first model. */
  readonly file: FileProfile;
  /** Its weights, where a plain load is certain to come. To be discarded when the server ends without it. */
  readonly weights: EarlyWeights | undefined;
}

/** Rejects with a ServeError when the first model is none. */
export async function headStart(config: Config): Promise<HeadStart> {
  const { gpu, gpuLayers } = config;
  const sound = createFileMemory(memoryFile('sound-libraries.json'));
  // With --engine-process it only compiles templates. A failure is told where the library is used.
  openLlama({ gpu: config.engineProcess ? 'off' : gpu, sound }).catch(() => undefined);
  const file = await readModelProfile(config.model[0], {
    chatTemplate: config.chatTemplate,
    chatFormat: config.chatFormat,
    ...(config.alias.length > 0 && { aliases: config.alias }),
  });
  return {
    file,
    weights: (await goesPlainly(config, file)) ? beginWeights({ path: file.path, gpu, gpuLayers }) : undefined,
  };
}

/** Into this process, first of all, as the flags say, and nothing in the file can end it. */
async function goesPlainly(config: Config, file: FileProfile): Promise<boolean> {
  if (config.engineProcess || config.embeddings || cannotGenerate(file)) return false;
  if (config.embeddingModel !== undefined || Object.keys(config.namedModels).length > 0) return false;
  return file.path === bundledModelPath || isKnownSound(file.path, createFileMemory(memoryFile('sound-models.json')));
}
