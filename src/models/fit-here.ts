import { isDeepStrictEqual } from 'node:util';
import type { LoadWish, PlacementWish } from '../contract/load-wish.ts';
import type { MemoryAtHand } from './default-context.ts';
import {
  type Fit,
  type FitHere,
  type FittedFile,
  fitModel,
  type PlacementReport,
  tryFit,
  withOneProjector,
} from './fit.ts';
import { gpusAtHand, gpusFor } from './gpus.ts';
import { mainMemory } from './machine-memory.ts';
import type { GpuMemory } from './placement.ts';
import type { FileProfile } from './profile.ts';

/** Weights that are on their way already, and where they go. */
export interface EarlyFit {
  readonly wish: PlacementWish;
  readonly fit: Fit;
  /** Whether they are of this file, and nobody has taken them. */
  isFor(path: string): boolean;
}

export interface FitNowOptions {
  readonly early?: EarlyFit | undefined;
  /** What guesses for it. */
  readonly draft?: FileProfile | undefined;
  /** Bytes of main memory that a model could take now. */
  readonly freeRam: number;
}

/** What a model is loaded with just now. Weights that began to load onto a GPU stay where they are. */
export function fitNow(file: FileProfile, wish: LoadWish, { early, draft, freeRam }: FitNowOptions): Fit {
  const { placement, devices } = wish;
  const isThere = early?.fit.placement && early.isFor(file.path);
  if (isThere && isDeepStrictEqual(early.wish, placement)) return early.fit;
  return fitModel(draft ? { ...file, beside: [draft] } : file, {
    wish: placement,
    memory: memoryFor(wish, freeRam),
    gpus: gpusFor(devices),
  });
}

/** Where a file would go on this machine's GPUs, or on one that is supposed; undefined without either. */
export function explainPlacement(file: FileProfile, wish: LoadWish): PlacementReport | undefined {
  const gpus = gpusAtHand(wish.devices);
  return gpus.length === 0 ? undefined : { gpus, fit: fitOn(gpus, wish)(file) };
}

/** Where any number of models would go, on the processor too. */
export function fitsHere(wish: LoadWish): (file: FittedFile) => FitHere {
  return fitOn(gpusAtHand(wish.devices), wish);
}

/** The same on GPUs that are known already. */
export function fitOn(gpus: readonly GpuMemory[], wish: LoadWish): (file: FittedFile) => FitHere {
  const memory = memoryFor(wish, mainMemory().available);
  return (file) => tryFit(file, { wish: wish.placement, memory, gpus });
}

/** A file with the projector that it would be loaded with here. */
export function asLoadedHere(file: FileProfile, wish: LoadWish): FileProfile {
  const fit = fitsHere(wish)(file);
  return 'tooLarge' in fit ? file : withOneProjector(file, fit);
}

function memoryFor({ prefixCacheBytes }: LoadWish, available: number): MemoryAtHand {
  return { total: mainMemory().total, available, prefixCache: prefixCacheBytes };
}
