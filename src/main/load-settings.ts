import { type Config, contextWish } from '../config.ts';
import type { LoadWish } from '../contract/load-wish.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import type { LoadOptions, WeightsWish } from '../engine/load-options.ts';
import type { Fit } from '../models/fit.ts';
import { libraryFor } from '../models/gpus.ts';
import { expertsInMainMemory } from '../models/weight-places.ts';

/** Which weights are meant, and where they go; without a fit all of it is to go on the GPUs. */
export function weightsWish(
  path: string,
  { mmap, mlock, logLevel }: Pick<Config, 'mmap' | 'mlock' | 'logLevel'>,
  { placement: wish, devices }: LoadWish,
  fit?: Fit,
): WeightsWish {
  const placement = fit?.placement;
  const experts = wish.expertLayers === 'all' ? 'all' : (placement?.expertLayers ?? wish.expertLayers ?? 0);
  const fitting = placement ? placement.gpuLayers : fit ? 0 : -1;
  return {
    path,
    library: libraryFor(devices),
    verbose: logLevel === 'debug',
    parameters: {
      gpuLayers: devices.gpu === 'off' ? 0 : (wish.gpuLayers ?? fitting),
      splitMode: wish.splitMode,
      mainGpu: wish.mainGpu,
      tensorSplit: wish.tensorSplit ?? placement?.tensorSplit,
      tensorPlaces: [...wish.tensorPlaces, ...expertsInMainMemory(experts)],
      loading: mmap ? 'map' : 'read',
      locked: mlock,
      devices: devices.device.length > 0 ? devices.device : undefined,
    },
  };
}

/** How it is to be computed: what one load says itself goes before the flags. */
export function computeWish(config: Config, own: ModelSettings) {
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
