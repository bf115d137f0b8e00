import type { MediaPart } from '../contract/request.ts';
import type { Sharer } from '../contract/shared-room.ts';
import type { JobMedium } from '../engine/engine.ts';

/** Reads images and sounds for a model that sees or hears. */
export interface MediaMaker {
  /** Whether the model has an encoder for these. */
  takes(type: MediaPart['type']): boolean;
  /** ServeError: what it names cannot be read. Only what it takes. */
  read(medium: MediaPart, sharer: Sharer, signal: AbortSignal): Promise<PlacedMedium>;
}

/** What stands in the prompt for one image or sound, in order. */
export type PlacedMedium = readonly PlacedPart[];

export type PlacedPart =
  /** Spelled control tokens are parsed. */
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'rows'; readonly ids: readonly number[] } & Omit<JobMedium, 'start' | 'rows'>);
