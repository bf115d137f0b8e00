import type { Hearing } from './ear.ts';
import type { Picture } from './eye.ts';
import type { ImageLimits } from './limits.ts';
import type { SoundLimits } from './sound/recorder.ts';

/** What stands in a prompt for an image or for a sound. */
export type Prepared = Picture | Hearing;

export type MediaType = 'image' | 'audio';

export interface MediaLimits {
  readonly image: ImageLimits;
  readonly audio: SoundLimits;
}
