import type { Encoder } from './encoder.ts';
import type { Spectrogram } from './sound/spectrogram.ts';
import type { Weights } from './weights.ts';

/** What a projector file can do with sound, of whatever family. Everything but `encoder` is pure and needs no native code. */
export interface Ear {
  /** As llama.cpp names the kind of projector. */
  readonly kind: string;
  /** Values of one row that it gives: those that the model takes. */
  readonly rowWidth: number;
  /** Samples a second that it takes. */
  readonly rate: number;
  /** Most rows of one piece of sound. */
  readonly mostRows: number;
  /**
   * Cuts a sound into the pieces that are encoded, and says what stands in the prompt for it. `samples`: of one channel, about
   * -1 to 1, at least one. ServeError invalid_request: too short to be heard.
   */
  prepare(samples: Float32Array): Hearing;
  encoder(weights: Weights): Encoder<Spectrogram>;
}

/** What stands in a prompt for a sound, in order. */
export interface Hearing {
  readonly parts: readonly HearingPart[];
}

export type HearingPart =
  /** Spelled control tokens are parsed. */
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'rows'; readonly rows: number; readonly tile: Spectrogram };
