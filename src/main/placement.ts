import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config.ts';
import type { EarlyWeights } from '../engine/thread/early-weights.ts';
import {
  type Fit,
  type FitHere,
  type FittedFile,
  fitModel,
  type PlacementReport,
  tryFit,
  withOneProjector,
} from '../models/fit.ts';
import { mainMemory } from '../models/machine-memory.ts';
import type { GpuMemory, PlacementWish } from '../models/placement.ts';
import type { FileProfile } from '../models/profile.ts';
import { devicesOf, type LoadSettings, placementWish } from './load-settings.ts';
import { gpusFor } from './native-library.ts';

/** The first model's weights, which began to load when the program started, and where they go. */
export interface EarlyLoad {
  readonly weights: EarlyWeights;
  readonly wish: PlacementWish;
  readonly fit: Fit;
}

export interface FitNowOptions extends LoadSettings {
  readonly early: EarlyLoad | undefined;
  /** What guesses for it. */
  readonly draft: FileProfile | undefined;
  /** Bytes of main memory that a model could take now. */
  readonly freeRam: () => number;
}

/** What a model is loaded with just now. Weights that began to load onto a GPU stay where they are. */
export function fitNow(file: FileProfile, { early, draft, freeRam, ...load }: FitNowOptions): Fit {
  const wish = placementWish(load);
  const isThere = early?.fit.placement && early.weights.isFor(file.path);
  if (isThere && isDeepStrictEqual(early.wish, wish)) return early.fit;
  return fitModel(draft ? { ...file, beside: [draft] } : file, {
    wish,
    memory: memoryFor(load.config, freeRam()),
    gpus: gpusFor({ ...load.config, device: devicesOf(load) }),
  });
}

/** Where a file would go on this machine's GPUs, or on one that is supposed (--gpu-memory-mb); undefined without either. */
export function explainPlacement(file: FileProfile, config: Config): PlacementReport | undefined {
  const gpus = gpusAtHand(config);
  return gpus.length === 0 ? undefined : { gpus, fit: fitWith(gpus, config)(file) };
}

/** A file with the projector that it would be loaded with here. */
export function asLoadedHere(file: FileProfile, config: Config): FileProfile {
  const fit = fitsHere(config)(file);
  return 'tooLarge' in fit ? file : withOneProjector(file, fit);
}

/** Where any number of models would go, on the processor too. */
export function fitsHere(config: Config): (file: FileProfile) => FitHere {
  return fitWith(gpusAtHand(config), config);
}

/** The same on GPUs that are known already. */
export function fitWith(gpus: readonly GpuMemory[], config: Config): (file: FittedFile) => FitHere {
  const memory = memoryFor(config, mainMemory().available);
  return (file) => tryFit(file, { wish: placementWish({ config, own: {} }), memory, gpus });
}

function memoryFor({ prefixCacheMb }: Config, available: number) {
  return { total: mainMemory().total, available, prefixCache: prefixCacheMb * 1024 * 1024 };
}

function gpusAtHand(config: Config): GpuMemory[] {
  const found = gpusFor(config);
  return found.length > 0 || config.gpu === 'off' ? found : supposedGpu(config);
}

function supposedGpu({ gpuMemoryMb }: Config): GpuMemory[] {
  if (gpuMemoryMb === undefined) return [];
  const bytes = gpuMemoryMb * 1024 * 1024;
  return [{ name: 'GPU', description: 'supposed', freeBytes: bytes, totalBytes: bytes, sharesMain: false }];
}
