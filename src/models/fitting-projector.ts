import type { Shape } from './default-context.ts';
import type { MemoryFacts } from './memory.ts';
import type { Placement } from './placement.ts';

/** `path` of those that are on this machine. */
type Projector = NonNullable<MemoryFacts['projector']> & { readonly path?: string };

export interface Seeing {
  /** The best. */
  readonly projector?: Projector | undefined;
  readonly otherProjectors?: readonly Projector[] | undefined;
}

interface Fitting extends Shape {
  readonly placement?: Pick<Placement, 'gpuLayers' | 'expertLayers'> | undefined;
}

/** How a model fits, and with which projector. */
export type FittingProjector<Fit> = Fit & Pick<Seeing, 'projector'>;

/**
 * Fits a model with the best of its projectors that costs it neither context nor slots nor layers on the GPU: what a
 * smaller one would leave it. `fitOf` answers with `tooLarge` where there is no room.
 */
export function withFittingProjector<File extends Seeing, Fit extends Fitting>(
  file: File,
  fitOf: (file: File) => Fit | { readonly tooLarge: string },
): FittingProjector<Fit> | { readonly tooLarge: string } {
  const { projector, otherProjectors = [] } = file;
  const fitWith = (one: Projector | undefined) => {
    const found = fitOf({ ...file, projector: one });
    return 'tooLarge' in found ? found : { ...found, projector: one };
  };
  const best = fitWith(projector);
  const smallest = otherProjectors.toSorted((left, right) => left.sizeBytes - right.sizeBytes)[0];
  if (!projector || !smallest || smallest.sizeBytes >= projector.sizeBytes) return best;
  const roomiest = fitWith(smallest);
  if ('tooLarge' in roomiest || isAsRoomy(best, roomiest)) return best;
  const others = otherProjectors.map(fitWith);
  return others.find((other) => isAsRoomy(other, roomiest)) ?? roomiest;
}

function isAsRoomy(fit: Fitting | { readonly tooLarge: string }, roomiest: Fitting): boolean {
  return (
    !('tooLarge' in fit) &&
    fit.contextSize === roomiest.contextSize &&
    fit.slots === roomiest.slots &&
    fit.placement?.gpuLayers === roomiest.placement?.gpuLayers &&
    fit.placement?.expertLayers === roomiest.placement?.expertLayers
  );
}
