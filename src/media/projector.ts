import { ServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import { Compute, type ComputeOptions } from '../native/compute.ts';
import { Graph } from '../native/graph.ts';
import type { NativeLibrary } from '../native/library.ts';
import { Encoding } from './encode.ts';
import type { Encoder, Eye } from './eye.ts';
import { openEye } from './families.ts';
import { blank, type Pixels } from './pixels.ts';
import { Weights } from './weights.ts';

/** A loaded projector: the room's door for whoever has a thread to compute in. */
export class Projector {
  readonly eye: Eye;
  readonly compute: Compute;
  readonly #weights: Weights;
  readonly #encoder: Encoder;

  /** `rowWidth`: of the model that it is for. ServeError invalid_request, insufficient_memory. */
  constructor(library: NativeLibrary, file: ProjectorFile, rowWidth: number, options: ComputeOptions) {
    this.eye = openEye(file);
    if (this.eye.rowWidth !== rowWidth) {
      throw new ServeError(
        'invalid_request',
        `The projector ${file.path} gives rows of ${this.eye.rowWidth} values, but this model takes ${rowWidth}: it belongs to another model.`,
      );
    }
    this.compute = Compute.create(library, options);
    try {
      this.#weights = new Weights(file, this.compute);
    } catch (error) {
      this.compute.free();
      throw error;
    }
    try {
      this.#encoder = this.eye.encoder(this.#weights);
      this.#tryOut(file);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  begin(tile: Pixels): Encoding {
    return new Encoding(this.#encoder, this.compute, tile);
  }

  free(): void {
    this.#weights.free();
    this.compute.free();
  }

  /** Describes the whole computation once: a file whose tensors do not fit one another is refused here. */
  #tryOut(file: ProjectorFile): void {
    const picture = this.eye.prepare(blank(64, 64, [0, 0, 0]));
    const rows = picture.parts.find((part) => part.type === 'rows');
    if (!rows) return;
    const graph = new Graph(this.compute.library, 1024 * (this.#encoder.blocks + 2));
    try {
      let tensor = this.#encoder.begin(graph, rows.tile);
      const taps = [];
      for (let index = 0; index < this.#encoder.blocks; index++) {
        tensor = this.#encoder.block(graph, index, tensor, rows.tile);
        if (this.#encoder.tapped.includes(index)) taps.push(tensor);
      }
      const [width, count] = this.#encoder.end(graph, tensor, taps, rows.tile).shape;
      if (width !== this.eye.rowWidth || count !== rows.columns * rows.lines) {
        throw new RangeError(`${count} rows of ${width} values come out.`);
      }
    } catch (cause) {
      if (cause instanceof ServeError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ServeError('invalid_request', `The projector ${file.path} cannot be used: ${why}`, {}, { cause });
    } finally {
      graph.free();
    }
  }
}
