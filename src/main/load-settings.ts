import { type Config, contextWish, speculationWish } from '../config.ts';
import type { LoadWish } from '../contract/load-wish.ts';
import type { ModelSettings, Speculation } from '../contract/model-settings.ts';
import type { LoadOptions, WeightsWish } from '../engine/load-options.ts';
import { shapeOf } from '../models/default-context.ts';
import { type Fit, placementWords } from '../models/fit.ts';
import { libraryFor } from '../models/gpus.ts';
import type { TriedLoad } from '../models/models.ts';
import { expertsInMainMemory } from '../models/weight-places.ts';

/** Step time to aim at while somebody decodes: text still flows at 20 tokens a second beside a long prompt. */
const stepTargetMs = 50;

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

/** What an engine is loaded with. */
export function engineSettings(
  path: string,
  config: Config,
  { settings: own, adapters, draft, wish, fit }: TriedLoad & { readonly wish: LoadWish; readonly fit: Fit },
) {
  const { contextSize, slots } = shapeOf(wish.placement);
  return {
    ...weightsWish(path, config, wish, fit),
    adapters: adapters.map(({ path: file }) => ({ path: file })),
    contextSize: contextSize || undefined,
    slots,
    fitting: { contextSize: fit.contextSize, slots: fit.slots },
    placement: placementWords(fit),
    ...computeWish(config, own),
    speculation: draft ? { draftModel: draft.path } : withoutDraft(speculationWish(config, own)),
    stepTargetMs,
  } satisfies Partial<LoadOptions>;
}

/** The draft model was left out. */
function withoutDraft(wish: Speculation): Speculation {
  return typeof wish === 'object' ? 'off' : wish;
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
