import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import type { EarlyWeights } from '../engine/thread/early-weights.ts';
import { type ChosenContext, chooseContext, type MemoryAtHand, type WeighedModel } from '../models/default-context.ts';
import { type FittingProjector, type Seeing, withFittingProjector } from '../models/fitting-projector.ts';
import { mainMemory } from '../models/machine-memory.ts';
import {
  describePlacement,
  type GpuMemory,
  type PlacedModel,
  type Placement,
  type PlacementWish,
  placeModel,
} from '../models/placement.ts';
import { type FileProfile, projectorsOf, withProjectors } from '../models/profile.ts';
import { expertsInMainMemory } from '../models/weight-places.ts';
import { gpusFor } from './native-library.ts';

/** What a model is loaded with, and where. */
export type Fit = FittingProjector<PlacedFit>;

interface PlacedFit extends Exclude<ChosenContext, { readonly tooLarge: string }> {
  /** undefined: on the processor. */
  readonly placement: Placement | undefined;
}

/** What is to be known of a model: of its file, or of what is published of it. */
interface FittedFile extends WeighedModel, Seeing {
  readonly projector?: Seeing['projector'];
  readonly path: string;
  readonly tensors?: PlacedModel['tensors'];
}

interface FitOptions {
  readonly config: Config;
  /** What guesses for it. */
  readonly draft: FileProfile | undefined;
  /** Bytes of main memory that it could take. */
  readonly available: number;
  readonly gpus: readonly GpuMemory[];
}

/** The first model's weights, which began to load when the program started, and where they go. */
export interface EarlyLoad {
  readonly weights: EarlyWeights;
  readonly wish: PlacementWish;
  readonly fit: Fit;
}

/** ServeError insufficient_memory when it does not fit, whatever is left out. */
function fitModel(file: FittedFile, options: FitOptions): Fit {
  const { config } = options;
  if (file.trainedContextSize === 0 && config.ctxSize === 0) {
    const key = `${file.architecture}.context_length`;
    throw new ServeError(
      'invalid_request',
      `${file.path} does not say how long its context is (${key} is 0 or missing): give it with --ctx-size.`,
      { param: file.path },
    );
  }
  const chosen = withFittingProjector(file, (one) => placeOrChoose(one, options));
  if ('tooLarge' in chosen) throw new ServeError('insufficient_memory', chosen.tooLarge);
  return chosen;
}

function placeOrChoose(file: FittedFile, options: FitOptions): PlacedFit | { readonly tooLarge: string } {
  const { config, draft, available, gpus } = options;
  const wish = placementWish(config);
  const memory: MemoryAtHand = {
    total: mainMemory().total,
    available,
    prefixCache: config.prefixCacheMb * 1024 * 1024,
  };
  const weighed: WeighedModel = draft ? { ...file, beside: [draft] } : file;
  const placement =
    gpus.length > 0 ? placeModel({ ...weighed, tensors: file.tensors ?? [] }, wish, memory, gpus) : undefined;
  if (placement) return 'tooLarge' in placement ? placement : { ...placement, placement };
  const chosen = chooseContext(weighed, wish, memory);
  return 'tooLarge' in chosen ? chosen : { ...chosen, placement: undefined };
}

export interface FitNowOptions extends Pick<FitOptions, 'config' | 'draft'> {
  readonly early: EarlyLoad | undefined;
  readonly freeRam: () => number;
}

/** The same by what is free at this moment. Weights that began to load onto a GPU stay where they are. */
export function fitNow(file: FileProfile, { early, freeRam, ...options }: FitNowOptions): Fit {
  const { config } = options;
  const isThere = early?.fit.placement && early.weights.isFor(file.path);
  if (isThere && isDeepStrictEqual(early.wish, placementWish(config))) return early.fit;
  return fitModel(file, { ...options, available: freeRam(), gpus: gpusFor(config) });
}

/** What would go where. */
export interface PlacementReport {
  readonly gpus: readonly GpuMemory[];
  readonly fit: Fit | { readonly tooLarge: string };
}

/** How a model would be loaded, or why it cannot be. */
export type FitHere = PlacementReport['fit'];

/** With the one that was found to fit, if that is one of its own; else with its best. */
export function withOneProjector(file: FileProfile, { projector }: Pick<Fit, 'projector'>): FileProfile {
  const own = projectorsOf(file);
  const fitting = own.find(({ path }) => path === projector?.path) ?? own[0];
  return fitting ? withProjectors(file, [fitting]) : file;
}

/** With the projector that it would be loaded with here. */
export function asLoadedHere(file: FileProfile, config: Config): FileProfile {
  const fit = fitsHere(config)(file);
  return 'tooLarge' in fit ? file : withOneProjector(file, fit);
}

/** On this machine's GPUs, or one that is supposed (--gpu-memory-mb); undefined where there is none. */
export function explainPlacement(file: FileProfile, config: Config): PlacementReport | undefined {
  const gpus = gpusAtHand(config);
  return gpus.length === 0 ? undefined : { gpus, fit: fitWith(gpus, config)(file) };
}

/** The same for any number of models, on the processor too. */
export function fitsHere(config: Config): (file: FileProfile) => FitHere {
  return fitWith(gpusAtHand(config), config);
}

function gpusAtHand(config: Config): GpuMemory[] {
  const found = gpusFor(config);
  return found.length > 0 || config.gpu === 'off' ? found : supposedGpu(config);
}

/** The same on GPUs that are known already. */
export function fitWith(gpus: readonly GpuMemory[], config: Config): (file: FittedFile) => FitHere {
  const { available } = mainMemory();
  return (file) => {
    try {
      return fitModel(file, { config, draft: undefined, available, gpus });
    } catch (error) {
      if (error instanceof ServeError) return { tooLarge: error.message };
      throw error;
    }
  };
}

function supposedGpu({ gpuMemoryMb }: Config): GpuMemory[] {
  if (gpuMemoryMb === undefined) return [];
  const bytes = gpuMemoryMb * 1024 * 1024;
  return [{ name: 'GPU', description: 'supposed', freeBytes: bytes, totalBytes: bytes, sharesMain: false }];
}

/** For people; undefined where there is nothing to say. */
export function placementWords({ placement }: Fit): string | undefined {
  return placement && describePlacement(placement);
}

export function placementWish(config: Config): PlacementWish {
  const { cpuMoe, nCpuMoe, gpuLayers, splitMode, mainGpu, tensorSplit } = config;
  return {
    contextSize: config.ctxSize,
    slots: config.parallel,
    cacheType: config.cacheTypeKv,
    keyType: config.cacheTypeK,
    valueType: config.cacheTypeV,
    fullWindows: config.swaFull,
    batchSize: config.batchSize,
    flashAttention: config.flashAttn,
    gpuLayers,
    expertLayers: cpuMoe ? 'all' : nCpuMoe,
    tensorPlaces: askedPlaces(config),
    splitMode,
    mainGpu,
    tensorSplit,
  };
}

/** Of --override-tensor. */
function askedPlaces({ overrideTensor }: Pick<Config, 'overrideTensor'>) {
  return overrideTensor.map((text) => {
    const at = text.lastIndexOf('=');
    return { pattern: text.slice(0, at), place: text.slice(at + 1) };
  });
}

/** The layers and tensors as the library is told them; without a fit all of it is to go on the GPUs. */
export function placementParameters(config: Config, fit: Fit | undefined) {
  const { gpu, gpuLayers, mainGpu, splitMode, tensorSplit, cpuMoe, nCpuMoe } = config;
  const placement = fit?.placement;
  const experts = cpuMoe ? 'all' : (placement?.expertLayers ?? nCpuMoe ?? 0);
  const fitting = placement ? placement.gpuLayers : fit ? 0 : -1;
  return {
    gpuLayers: gpu === 'off' ? 0 : (gpuLayers ?? fitting),
    splitMode,
    mainGpu,
    tensorSplit: tensorSplit ?? placement?.tensorSplit,
    tensorPlaces: [...askedPlaces(config), ...expertsInMainMemory(experts)],
  };
}
