import type { ProjectorFile } from '../../contract/projector.ts';
import type { WireError } from '../../contract/wire-error.ts';
import type { MediaLimits, MediaType, Prepared } from '../prepared.ts';

/** To the process that reads images and sounds, by structured clone; tasks are done in their order, each is answered. */
export interface ToMedia {
  readonly id: number;
  readonly type: MediaType;
  readonly file: Uint8Array;
  readonly projector: ProjectorFile;
  readonly limits: MediaLimits;
}

export type FromMedia =
  | { readonly id: number; readonly prepared: Prepared }
  | { readonly id: number; readonly error: WireError };
