import type { ProjectorFile } from '../../contract/projector.ts';
import type { WireError } from '../../contract/wire-error.ts';
import type { Picture } from '../eye.ts';
import type { ImageLimits } from '../limits.ts';

/** To the process that reads images, by structured clone; tasks are done in their order, each is answered. */
export interface ToImages {
  readonly id: number;
  readonly file: Uint8Array;
  readonly projector: ProjectorFile;
  readonly limits: ImageLimits;
}

export type FromImages =
  | { readonly id: number; readonly picture: Picture }
  | { readonly id: number; readonly error: WireError };
