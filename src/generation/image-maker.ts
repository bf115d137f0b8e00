import type { ImagePart } from '../contract/request.ts';
import type { Sharer } from '../contract/shared-room.ts';
import type { JobImage } from '../engine/engine.ts';

/** Reads images for a model that sees. */
export interface ImageMaker {
  /** ServeError: what it names cannot be read. */
  read(image: ImagePart, sharer: Sharer, signal: AbortSignal): Promise<PlacedImage>;
}

/** What stands in the prompt for one image, in order. */
export type PlacedImage = readonly PlacedPart[];

export type PlacedPart =
  /** Spelled control tokens are parsed. */
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'rows'; readonly ids: readonly number[] } & Omit<JobImage, 'start' | 'rows'>);
