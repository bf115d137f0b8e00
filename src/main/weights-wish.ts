import type { Config } from '../config.ts';
import type { LoadOptions, WeightsWish } from '../engine/load-options.ts';
import { libraryFor } from './native-library.ts';

/** Which weights the flags mean, and where they go. */
export function weightsWish(path: string, config: Config): WeightsWish {
  const { mmap, mlock, device, splitMode, mainGpu, tensorSplit } = config;
  return {
    path,
    library: libraryFor(config),
    verbose: config.logLevel === 'debug',
    adapters: adapterFiles(config).map(({ path: file }) => ({ path: file })),
    parameters: {
      gpuLayers: config.gpu === 'off' ? 0 : (config.gpuLayers ?? -1),
      loading: mmap ? 'map' : 'read',
      locked: mlock,
      devices: device.length > 0 ? device : undefined,
      splitMode,
      mainGpu,
      tensorSplit,
      tensorPlaces: tensorPlaces(config),
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

/** The experts of a mixture-of-experts model, as llama.cpp's files name their tensors. */
const experts = 'ffn_(up|down|gate|gate_up)_(ch|)exps';

function tensorPlaces({ cpuMoe, nCpuMoe = 0, overrideTensor }: Config) {
  const asked = overrideTensor.map((text) => {
    const at = text.lastIndexOf('=');
    return { pattern: text.slice(0, at), place: text.slice(at + 1) };
  });
  if (cpuMoe) return [...asked, { pattern: `\\.${experts}`, place: 'CPU' }];
  const layers = Array.from({ length: nCpuMoe }, (_, layer) => layer);
  return [...asked, ...layers.map((layer) => ({ pattern: `blk\\.${layer}\\.${experts}`, place: 'CPU' }))];
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
