import type { LlamaBatch } from './functions.ts';
import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { allocate, release } from './memory.ts';
import { nullPointer, type Pointer } from './pointer.ts';

/** How positions are counted: one for each row, or four (time, height, width and one that is not used). */
export type Positions = 'line' | 'grid';

export interface RowBatchOptions {
  /** Rows at most. */
  readonly capacity: number;
  /** Values of one row. */
  readonly width: number;
  readonly positions: Positions;
}

/**
 * A llama_batch of rows that no vocabulary has: a batch is either of tokens or of rows. With positions on a grid llama.cpp
 * reads four times as many as `llama_batch_init` makes room for, so they lie in memory of our own.
 */
export class RowBatch extends Handle {
  readonly capacity: number;
  readonly width: number;
  readonly #library: NativeLibrary;
  readonly #struct: LlamaBatch;
  readonly #ownPositions: Pointer;
  readonly #madePositions: Pointer | null;
  readonly #rows: Float32Array;
  readonly #positions: Int32Array;
  readonly #sequences: readonly Int32Array[];
  readonly #outputs: Int8Array;
  readonly #dimensions: number;
  #size = 0;
  #sequence = 0;

  constructor(library: NativeLibrary, { capacity, width, positions }: RowBatchOptions) {
    const struct = library.functions.llama_batch_init(capacity, width, 1);
    super('row batch', struct.embd ?? nullPointer);
    this.capacity = capacity;
    this.width = width;
    this.#library = library;
    this.#struct = struct;
    this.#dimensions = positions === 'grid' ? positionsOfGrid : 1;
    this.#madePositions = struct.pos;
    this.#ownPositions = allocate(4 * capacity * this.#dimensions);
    struct.pos = this.#ownPositions;
    const view = (pointer: Pointer | null, bytes: number) => library.view(pointer ?? nullPointer, bytes);
    this.#rows = new Float32Array(view(struct.embd, 4 * capacity * width));
    this.#positions = new Int32Array(view(this.#ownPositions, 4 * capacity * this.#dimensions));
    this.#outputs = new Int8Array(view(struct.logits, capacity));
    new Int32Array(view(struct.n_seq_id, 4 * capacity)).fill(1);
    const pointers = new BigUint64Array(view(struct.seq_id, 8 * capacity));
    this.#sequences = Array.from(pointers, (pointer) => new Int32Array(view(pointer as Pointer, 4)));
  }

  /** `positions`: of each row, by `dimension` first where there are several. The last row is an output if asked for. */
  fill(
    rows: Float32Array,
    {
      positions,
      sequence,
      output,
    }: { readonly positions: Int32Array; readonly sequence: number; readonly output: boolean },
  ): void {
    this.assertUsable();
    const size = rows.length / this.width;
    if (!Number.isInteger(size) || size < 1 || size > this.capacity) {
      throw new RangeError(`${rows.length} values are not 1 to ${this.capacity} rows of ${this.width}.`);
    }
    if (positions.length !== size * this.#dimensions) throw new RangeError(`${size} rows have other positions.`);
    this.#size = size;
    this.#sequence = sequence;
    this.#rows.set(rows);
    this.#positions.set(positions);
    for (let at = 0; at < size; at++) {
      const sequences = this.#sequences[at];
      if (sequences) sequences[0] = sequence;
      this.#outputs[at] = 0;
    }
    if (output) this.#outputs[size - 1] = 1;
  }

  get size(): number {
    return this.#size;
  }

  get sequence(): number {
    return this.#sequence;
  }

  isOutput(at: number): boolean {
    return at >= 0 && at < this.#size && this.#outputs[at] === 1;
  }

  /** What llama_decode takes; only for the duration of the call. */
  get struct(): LlamaBatch {
    this.assertUsable();
    this.#struct.n_tokens = this.#size;
    return this.#struct;
  }

  protected release(): void {
    this.#library.functions.llama_batch_free({ ...this.#struct, pos: this.#madePositions });
    release(this.#ownPositions);
  }
}

export const positionsOfGrid = 4;
