import type { ContextWish, LoadWish, PlacementWish, TensorPlace } from '../contract/load-wish.ts';
import type { ModelSettings, ScaledAdapter, Speculation } from '../contract/model-settings.ts';
import type { FlagValues } from './flags.ts';

export type ContextFlags = Pick<
  FlagValues,
  'ctxSize' | 'parallel' | 'cacheTypeKv' | 'cacheTypeK' | 'cacheTypeV' | 'swaFull' | 'batchSize' | 'flashAttn'
>;

type PlacementFlags = ContextFlags &
  Pick<FlagValues, 'gpuLayers' | 'cpuMoe' | 'nCpuMoe' | 'overrideTensor' | 'splitMode' | 'mainGpu' | 'tensorSplit'>;

export type LoadFlags = PlacementFlags & Pick<FlagValues, 'gpu' | 'device' | 'gpuMemoryMb' | 'prefixCacheMb'>;

/** The context that the flags ask for, with what one load says itself over them. */
export function contextWish(flags: ContextFlags, own: ModelSettings = {}): ContextWish {
  return {
    contextSize: own.contextSize || flags.ctxSize,
    slots: own.slots ?? flags.parallel,
    cacheType: own.cacheType ?? flags.cacheTypeKv,
    keyType: flags.cacheTypeK,
    valueType: flags.cacheTypeV,
    fullWindows: flags.swaFull,
    batchSize: flags.batchSize,
    flashAttention: flags.flashAttn,
  };
}

/** The same of all that memory and devices are asked for. */
export function loadWish(flags: LoadFlags, own: ModelSettings = {}): LoadWish {
  const { gpu, device, gpuMemoryMb, prefixCacheMb } = flags;
  return {
    placement: placementWish(flags, own),
    devices: { gpu, device, gpuMemoryMb },
    prefixCacheBytes: prefixCacheMb * 1024 * 1024,
  };
}

function placementWish(flags: PlacementFlags, own: ModelSettings): PlacementWish {
  const { gpuLayers, cpuMoe, nCpuMoe, overrideTensor, splitMode, mainGpu, tensorSplit } = flags;
  return {
    ...contextWish(flags, own),
    gpuLayers: own.gpuLayers ?? gpuLayers,
    expertLayers: cpuMoe ? 'all' : nCpuMoe,
    tensorPlaces: overrideTensor.map(tensorPlace),
    splitMode,
    mainGpu,
    tensorSplit,
  };
}

/** Of --override-tensor. */
function tensorPlace(text: string): TensorPlace {
  const at = text.lastIndexOf('=');
  return { pattern: text.slice(0, at), place: text.slice(at + 1) };
}

/** How tokens are guessed, likewise. */
export function speculationWish(
  { lookupDecoding, draftModel }: Pick<FlagValues, 'lookupDecoding' | 'draftModel'>,
  own: ModelSettings = {},
): Speculation {
  return own.speculation ?? (draftModel === undefined ? (lookupDecoding ? 'lookup' : 'off') : { draftModel });
}

/** Those of --lora. */
export function adapterWishes({ lora }: Pick<FlagValues, 'lora'>): ScaledAdapter[] {
  return lora.map((text) => {
    const [, path = text, scale] = /^(.+):(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
    return { path, scale: scale === undefined ? 1 : Number(scale) };
  });
}
