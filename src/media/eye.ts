import type { Encoder } from './encoder.ts';
import type { Colour, Pixels } from './pixels.ts';
import type { Weights } from './weights.ts';

/** What a projector file can do, of whatever family. Everything but `encoder` is pure and needs no native code. */
export interface Eye {
  /** As llama.cpp names the kind of projector. */
  readonly kind: string;
  /** Values of one row that it gives: those that the model takes. */
  readonly rowWidth: number;
  /** Rows of an image see only those before them, as tokens do. */
  readonly causal: boolean;
  /** Most rows of one run: those that see each other have to fit one pass of the model. */
  readonly mostRows: number;
  readonly mean: Colour;
  readonly deviation: Colour;
  /** Scales and cuts an image into what is encoded, and says what stands in the prompt for it. */
  prepare(image: Pixels): Picture;
  encoder(weights: Weights): Encoder<Pixels>;
}

/** What stands in a prompt for an image, in order. */
export interface Picture {
  readonly parts: readonly PicturePart[];
}

export type PicturePart =
  /** Spelled control tokens are parsed. */
  { readonly type: 'text'; readonly text: string } | ({ readonly type: 'rows' } & Rows);

interface Rows {
  readonly tile: Pixels;
  /** How they lie in the image. */
  readonly columns: number;
  readonly lines: number;
}
