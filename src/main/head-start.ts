import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { NativeHeadStart } from '../engine/llama/native-head-start.ts';
import { prebuiltFile, soundKey } from '../engine/llama/prebuilt-file.ts';
import type { EarlyWeights } from '../engine/llama/weights.ts';
import { bundledModelPath } from '../models/find-model.ts';
import { mainMemory } from '../models/machine-memory.ts';
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

type Sound = ReturnType<typeof createFileMemory>;

/** Rejects with a ServeError when the first model is none. */
export async function headStart(config: Config): Promise<HeadStart> {
  const { gpu, gpuLayers } = config;
  const sound = createFileMemory(memoryFile('sound-libraries.json'));
  const file = await readModelProfile(config.model[0], {
    chatTemplate: config.chatTemplate,
    chatFormat: config.chatFormat,
    ...(config.alias.length > 0 && { aliases: config.alias }),
  });
  const plain = await goesPlainly(config, file);
  const native = plain ? nativeHeadStart(config, file, sound) : undefined;
  // Not above: reading node-llama-cpp takes a third of a second.
  const [{ openLlama }, { beginWeights }] = await Promise.all([
    import('../engine/llama/open-llama.ts'),
    import('../engine/llama/weights.ts'),
  ]);
  // With --engine-process it only compiles templates. A failure is told where the library is used.
  openLlama({ gpu: config.engineProcess ? 'off' : gpu, sound, headStart: native }).catch(() => undefined);
  const weights = plain ? beginWeights({ path: file.path, gpu, gpuLayers, headStart: native }) : undefined;
  return { file, weights };
}

/** Into this process, first of all, as the flags say, and nothing in the file can end it. */
async function goesPlainly(config: Config, file: FileProfile): Promise<boolean> {
  if (config.engineProcess || config.embeddings || cannotGenerate(file)) return false;
  if (config.embeddingModel !== undefined || Object.keys(config.namedModels).length > 0) return false;
  return file.path === bundledModelPath || isKnownSound(file.path, createFileMemory(memoryFile('sound-models.json')));
}

/**
 * Where the last start with these flags ran on the prebuilt CPU library and this one can only do the same: no GPU has
 * appeared, and there is room for the weights twice over, so that node-llama-cpp's own check cannot refuse them.
 */
function nativeHeadStart({ gpu, gpuLayers }: Config, file: FileProfile, sound: Sound): NativeHeadStart | undefined {
  if (gpuLayers !== undefined || (gpu !== 'off' && (gpu !== 'auto' || gpuDevices.some(existsSync)))) return undefined;
  if (2 * file.sizeBytes > mainMemory().available) return undefined;
  const library = prebuiltFile();
  if (!library || !sound.has(soundKey(library.key, gpu))) return undefined;
  return NativeHeadStart.begin(library, file.path);
}

/** NVIDIA's, those of WSL, AMD's for computing, and any that draws. */
const gpuDevices = ['/dev/nvidiactl', '/dev/dxg', '/dev/kfd', '/dev/dri'];
