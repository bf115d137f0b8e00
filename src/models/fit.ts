import { ServeError } from '../contract/errors.ts';
import type { PlacementWish } from '../contract/load-wish.ts';
import { type ChosenContext, chooseContext, type MemoryAtHand, type WeighedModel } from './default-context.ts';
import { type FittingProjector, type Seeing, withFittingProjector } from './fitting-projector.ts';
import { describePlacement, type GpuMemory, type PlacedModel, type Placement, placeModel } from './placement.ts';
import { type FileProfile, projectorsOf, withProjectors } from './profile.ts';

/** What a model is loaded with, and where. */
export type Fit = FittingProjector<PlacedFit>;

interface PlacedFit extends Exclude<ChosenContext, { readonly tooLarge: string }> {
  /** undefined: on the processor. */
  readonly placement: Placement | undefined;
}

/** What is to be known of a model: of its file, or of what is published of it. */
export interface FittedFile extends WeighedModel, Seeing {
  readonly projector?: Seeing['projector'];
  readonly path: string;
  readonly tensors?: PlacedModel['tensors'];
}

export interface FitOptions {
  readonly wish: PlacementWish;
  readonly memory: MemoryAtHand;
  /** None: it goes on the processor. */
  readonly gpus: readonly GpuMemory[];
}

/** Throws ServeError insufficient_memory when it does not fit, whatever is left out. */
export function fitModel(file: FittedFile, options: FitOptions): Fit {
  if (file.trainedContextSize === 0 && options.wish.contextSize === 0) {
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

function placeOrChoose(
  file: FittedFile,
  { wish, memory, gpus }: FitOptions,
): PlacedFit | { readonly tooLarge: string } {
  const placement =
    gpus.length > 0 ? placeModel({ ...file, tensors: file.tensors ?? [] }, wish, memory, gpus) : undefined;
  if (placement) return 'tooLarge' in placement ? placement : { ...placement, placement };
  const chosen = chooseContext(file, wish, memory);
  return 'tooLarge' in chosen ? chosen : { ...chosen, placement: undefined };
}

/** With the one that was found to fit, if that is one of its own; else with its best. */
export function withOneProjector(file: FileProfile, { projector }: Pick<Fit, 'projector'>): FileProfile {
  const own = projectorsOf(file);
  const fitting = own.find(({ path }) => path === projector?.path) ?? own[0];
  return fitting ? withProjectors(file, [fitting]) : file;
}

/** How a model would be loaded, or why it cannot be. */
export type FitHere = Fit | { readonly tooLarge: string };

export function tryFit(file: FittedFile, options: FitOptions): FitHere {
  try {
    return fitModel(file, options);
  } catch (error) {
    if (error instanceof ServeError) return { tooLarge: error.message };
    throw error;
  }
}

/** What would go where. */
export interface PlacementReport {
  readonly gpus: readonly GpuMemory[];
  readonly fit: FitHere;
}

/** For people; undefined where there is nothing to say. */
export function placementWords({ placement }: Fit): string | undefined {
  return placement && describePlacement(placement);
}
