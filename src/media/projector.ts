import { ServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import { Compute, type ComputeOptions } from '../native/compute.ts';
import { Graph, type Tensor } from '../native/graph.ts';
import type { NativeLibrary } from '../native/library.ts';
import { Encoding } from './encode.ts';
import type { Encoder } from './encoder.ts';
import { blank, type Pixels } from './pixels.ts';
import { openSenses, type Senses } from './senses.ts';
import { isSpectrogram, type Spectrogram } from './sound/spectrogram.ts';
import { Weights } from './weights.ts';

/** What is encoded at once: of an image a tile, of a sound a piece. */
export type Tile = Pixels | Spectrogram;

/** A loaded projector: the room's door for whoever has a thread to compute in. */
export class Projector {
  readonly senses: Senses;
  readonly rowWidth: number;
  readonly compute: Compute;
  readonly #weights: Weights;
  readonly #sight: Encoder<Pixels> | undefined;
  readonly #hearing: Encoder<Spectrogram> | undefined;

  /** `rowWidth`: of the model that it is for. ServeError invalid_request, insufficient_memory. */
  constructor(library: NativeLibrary, file: ProjectorFile, rowWidth: number, options: ComputeOptions) {
    this.senses = openSenses(file);
    this.rowWidth = rowWidth;
    const { eye, ear } = this.senses;
    for (const sense of [eye, ear]) if (sense) mustFit(file, sense.rowWidth, rowWidth);
    this.compute = Compute.create(library, options);
    try {
      this.#weights = new Weights(file, this.compute, [
        ...(eye ? (['v'] as const) : []),
        ...(ear ? (['a'] as const) : []),
      ]);
    } catch (error) {
      this.compute.free();
      throw error;
    }
    try {
      this.#sight = eye?.encoder(this.#weights);
      this.#hearing = ear?.encoder(this.#weights);
      this.#tryOut(file);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** ServeError internal: it has no encoder for this. */
  begin(tile: Tile): Encoding {
    if (isSpectrogram(tile)) return new Encoding(given(this.#hearing), this.compute, tile);
    return new Encoding(given(this.#sight), this.compute, tile);
  }

  free(): void {
    this.#weights.free();
    this.compute.free();
  }

  /** Describes each whole computation once: a file whose tensors do not fit one another is refused here. */
  #tryOut(file: ProjectorFile): void {
    const { eye, ear } = this.senses;
    const seen = eye?.prepare(blank(64, 64, [0, 0, 0])).parts.find((part) => part.type === 'rows');
    const heard = ear?.prepare(new Float32Array(ear.rate)).parts.find((part) => part.type === 'rows');
    try {
      if (seen) this.#describe(given(this.#sight), seen.tile, seen.columns * seen.lines);
      if (heard) this.#describe(given(this.#hearing), heard.tile, heard.rows);
    } catch (cause) {
      if (cause instanceof ServeError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ServeError('invalid_request', `The projector ${file.path} cannot be used: ${why}`, {}, { cause });
    }
  }

  /** RangeError: it does not fit together. */
  #describe<Input>(encoder: Encoder<Input>, input: Input, rows: number): void {
    const graph = new Graph(this.compute.library, 1024 * (encoder.blocks + 2));
    try {
      let tensor = encoder.begin(graph, input);
      const taps: Tensor[] = [];
      for (let index = 0; index < encoder.blocks; index++) {
        tensor = encoder.block(graph, index, tensor, input);
        if (encoder.tapped.includes(index)) taps.push(tensor);
      }
      const [width, count] = encoder.end(graph, tensor, taps, input).shape;
      if (width !== this.rowWidth || count !== rows) throw new RangeError(`${count} rows of ${width} values come out.`);
    } finally {
      graph.free();
    }
  }
}

function mustFit({ path }: ProjectorFile, width: number, rowWidth: number): void {
  if (width === rowWidth) return;
  throw new ServeError(
    'invalid_request',
    `The projector ${path} gives rows of ${width} values, but this model takes ${rowWidth}: it belongs to another model.`,
  );
}

function given<Input>(encoder: Encoder<Input> | undefined): Encoder<Input> {
  if (encoder) return encoder;
  throw new ServeError('internal', 'This projector has no encoder for what it was given.');
}
