import { type Config, contextWish } from '../config.ts';
import type { ModelSettings, ScaledAdapter } from '../contract/model-settings.ts';
import type { LoadOptions, WeightsWish } from '../engine/load-options.ts';
import type { Fit } from '../models/fit.ts';
import type { PlacementWish } from '../models/placement.ts';
import { expertsInMainMemory } from '../models/weight-places.ts';
import { gpusFor, libraryFor } from './native-library.ts';

/** One load: what it says itself goes before the flags. */
export interface LoadSettings {
  readonly config: Config;
  readonly own: ModelSettings;
}

/** What is asked of a model's context, and of where it goes. */
export function placementWish({ config, own }: LoadSettings): PlacementWish {
  const { cpuMoe, nCpuMoe, splitMode, mainGpu, tensorSplit } = config;
  return {
    ...contextWish(config, own),
    gpuLayers: own.gpuLayers ?? config.gpuLayers,
    expertLayers: cpuMoe ? 'all' : nCpuMoe,
    tensorPlaces: askedPlaces(config),
    splitMode,
    mainGpu,
    tensorSplit,
  };
}

/** Which weights are meant, and where they go; without a fit all of it is to go on the GPUs. */
export function weightsWish(path: string, load: LoadSettings, fit?: Fit): WeightsWish {
  const { config } = load;
  const { mmap, mlock, gpu } = config;
  const { gpuLayers, expertLayers, tensorPlaces, ...spread } = placementWish(load);
  const placement = fit?.placement;
  const experts = expertLayers === 'all' ? 'all' : (placement?.expertLayers ?? expertLayers ?? 0);
  const fitting = placement ? placement.gpuLayers : fit ? 0 : -1;
  const devices = devicesOf(load);
  return {
    path,
    library: libraryFor(config),
    verbose: config.logLevel === 'debug',
    parameters: {
      gpuLayers: gpu === 'off' ? 0 : (gpuLayers ?? fitting),
      splitMode: spread.splitMode,
      mainGpu: spread.mainGpu,
      tensorSplit: spread.tensorSplit ?? placement?.tensorSplit,
      tensorPlaces: [...tensorPlaces, ...expertsInMainMemory(experts)],
      loading: mmap ? 'map' : 'read',
      locked: mlock,
      devices: devices.length > 0 ? devices : undefined,
    },
  };
}

/** The GPUs of the flags, or those that the load names by number. Without a GPU the numbers mean nothing. */
export function devicesOf({ config, own }: LoadSettings): readonly string[] {
  if (own.gpuIds === undefined) return config.device;
  const gpus = gpusFor(config);
  return gpus.length === 0 ? config.device : own.gpuIds.flatMap((id) => gpus[id]?.name ?? []);
}

/** Of --override-tensor. */
function askedPlaces({ overrideTensor }: Pick<Config, 'overrideTensor'>) {
  return overrideTensor.map((text) => {
    const at = text.lastIndexOf('=');
    return { pattern: text.slice(0, at), place: text.slice(at + 1) };
  });
}

/** Those of --lora, with the scales that requests get which say nothing. */
export function adapterFiles({ lora }: Pick<Config, 'lora'>): ScaledAdapter[] {
  return lora.map((text) => {
    const [, path = text, scale] = /^(.+):(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
    return { path, scale: scale === undefined ? 1 : Number(scale) };
  });
}

/** How it is to be computed. */
export function computeWish({ config, own }: LoadSettings) {
  const { cpuMask, prio, poll } = config;
  const { cacheType, keyType = cacheType, valueType = cacheType, ...context } = contextWish(config, own);
  return {
    batchSize: context.batchSize,
    microBatchSize: config.ubatchSize,
    threads: config.threads,
    promptThreads: config.threadsBatch,
    pool: { cpuMask, priority: prio, poll },
    flashAttention: context.flashAttention,
    keyType,
    valueType,
    fullWindows: context.fullWindows,
    unified: config.kvUnified,
    rope: {
      scaling: config.ropeScaling,
      frequencyBase: config.ropeFreqBase,
      frequencyScale: config.ropeFreqScale,
      yarnOriginalContext: config.yarnOrigCtx,
      yarnExtFactor: config.yarnExtFactor,
      yarnAttnFactor: config.yarnAttnFactor,
      yarnBetaFast: config.yarnBetaFast,
      yarnBetaSlow: config.yarnBetaSlow,
    },
  } satisfies Partial<LoadOptions>;
}
