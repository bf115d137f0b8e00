import type { LlamaBatch } from './functions.ts';
import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';

/** The arrays of a llama_batch, written in place. */
export class Batch extends Handle {
  readonly capacity: number;
  readonly #library: NativeLibrary;
  readonly #struct: LlamaBatch;
  readonly #tokens: Int32Array;
  readonly #positions: Int32Array;
  readonly #sequences: readonly Int32Array[];
  readonly #outputs: Int8Array;
  #size = 0;
  #outputCount = 0;

  constructor(library: NativeLibrary, capacity: number) {
    const struct = library.functions.llama_batch_init(capacity, 0, 1);
    super('batch', struct.token ?? nullPointer);
    this.#library = library;
    this.#struct = struct;
    this.capacity = capacity;
    const view = (pointer: Pointer | null, bytes: number) => library.view(pointer ?? nullPointer, bytes);
    this.#tokens = new Int32Array(view(struct.token, 4 * capacity));
    this.#positions = new Int32Array(view(struct.pos, 4 * capacity));
    this.#outputs = new Int8Array(view(struct.logits, capacity));
    new Int32Array(view(struct.n_seq_id, 4 * capacity)).fill(1);
    const pointers = new BigUint64Array(view(struct.seq_id, 8 * capacity));
    this.#sequences = Array.from(pointers, (pointer) => new Int32Array(view(pointer as Pointer, 4)));
  }

  clear(): void {
    this.#size = 0;
    this.#outputCount = 0;
  }

  get size(): number {
    return this.#size;
  }

  /** How many of its tokens are outputs. */
  get outputs(): number {
    return this.#outputCount;
  }

  /** Gives the place in the batch, by which an output is read after the decode. */
  add(token: number, position: number, sequence: number, output: boolean): number {
    this.assertUsable();
    const at = this.#size;
    if (at >= this.capacity) throw new RangeError(`The batch is full (${this.capacity} tokens).`);
    this.#size++;
    this.#tokens[at] = token;
    this.#positions[at] = position;
    const sequences = this.#sequences[at];
    if (sequences) sequences[0] = sequence;
    this.#outputs[at] = output ? 1 : 0;
    if (output) this.#outputCount++;
    return at;
  }

  get tokens(): Int32Array {
    return this.#tokens.subarray(0, this.#size);
  }

  get sequences(): readonly number[] {
    return this.#sequences.slice(0, this.#size).map((sequence) => sequence[0] ?? 0);
  }

  positionAt(at: number): number {
    return this.#positions[at] ?? 0;
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
    this.#library.functions.llama_batch_free(this.#struct);
  }
}
