import type { Config } from '../config.ts';
import type { LoadOptions, WeightsWish } from '../engine/load-options.ts';
import { libraryFor } from './native-library.ts';
import { type Fit, placementParameters } from './placement.ts';

/** Which weights the flags mean, and where they go. */
export function weightsWish(path: string, config: Config, fit?: Fit): WeightsWish {
  const { mmap, mlock, device } = config;
  return {
    path,
    library: libraryFor(config),
    verbose: config.logLevel === 'debug',
    adapters: adapterFiles(config).map(({ path: file }) => ({ path: file })),
    parameters: {
      ...placementParameters(config, fit),
      loading: mmap ? 'map' : 'read',
      locked: mlock,
      devices: device.length > 0 ? device : undefined,
    },
  };
}

/** Those of --lora, with the scales that requests get which say nothing. */
export function adapterFiles({ lora }: Pick<Config, 'lora'>): { readonly path: string; readonly scale: number }[] {
  return lora.map((text) => {
    const [, path = text, scale] = /^(.+):(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
    return { path, scale: scale === undefined ? 1 : Number(scale) };
  });
}

/** How the flags want it computed. */
export function computeWish(config: Config) {
  const { cpuMask, prio, poll, cacheTypeKv, cacheTypeK = cacheTypeKv, cacheTypeV = cacheTypeKv } = config;
  return {
    batchSize: config.batchSize,
    microBatchSize: config.ubatchSize,
    threads: config.threads,
    promptThreads: config.threadsBatch,
    pool: { cpuMask, priority: prio, poll },
    flashAttention: config.flashAttn,
    keyType: cacheTypeK,
    valueType: cacheTypeV,
    fullWindows: config.swaFull,
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
