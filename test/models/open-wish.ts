import type { PlacementWish } from '../../src/contract/load-wish.ts';

/** A load that says nothing. */
export const openWish: PlacementWish = {
  contextSize: 0,
  slots: undefined,
  cacheType: 'f16',
  keyType: undefined,
  valueType: undefined,
  fullWindows: false,
  batchSize: 512,
  flashAttention: undefined,
  gpuLayers: undefined,
  expertLayers: undefined,
  tensorPlaces: [],
  splitMode: undefined,
  mainGpu: undefined,
  tensorSplit: undefined,
};
