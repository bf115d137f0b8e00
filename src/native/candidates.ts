import { allocate, release } from './memory.ts';
import type { NativeLibrary } from './open-library.ts';
import type { Pointer } from './pointer.ts';

/** Words of 4 bytes in a llama_token_data: id, logit, p. */
const words = 3;

/** A llama_token_data_array in native memory, which samplers change in place. One for a whole vocabulary, kept. */
export class Candidates {
  readonly array: Pointer;
  readonly #data: Pointer;
  readonly #ids: Int32Array;
  readonly #logits: Float32Array;
  readonly #fields: DataView;
  readonly #at: Readonly<Record<'data' | 'size' | 'selected' | 'sorted', number>>;

  constructor(library: NativeLibrary, most: number) {
    const { size, offsetOf } = library.layout('llama_token_data_array');
    const bytes = most * words * 4;
    this.#data = allocate(bytes);
    const data = library.view(this.#data, bytes);
    this.#ids = new Int32Array(data);
    this.#logits = new Float32Array(data);
    this.array = allocate(size);
    this.#fields = new DataView(library.view(this.array, size));
    this.#at = {
      data: offsetOf('data'),
      size: offsetOf('size'),
      selected: offsetOf('selected'),
      sorted: offsetOf('sorted'),
    };
  }

  /** All tokens of the vocabulary. Copies: samplers sort and cut in place. */
  fill(logits: Float32Array): void {
    const [ids, target] = [this.#ids, this.#logits];
    for (let token = 0, at = 0; token < logits.length; token++, at += words) {
      ids[at] = token;
      target[at + 1] = logits[token] ?? 0;
      target[at + 2] = 0;
    }
    this.#reset(logits.length);
  }

  /** One token alone, as llama.cpp asks a grammar about it. */
  single(token: number): void {
    this.#ids[0] = token;
    this.#logits[1] = 1;
    this.#logits[2] = 0;
    this.#reset(1);
  }

  /** Right after `fill`: candidates still lie by their numbers. */
  forbid(tokens: readonly number[]): void {
    for (const token of tokens) this.#logits[token * words + 1] = Number.NEGATIVE_INFINITY;
  }

  #reset(size: number): void {
    this.#fields.setBigUint64(this.#at.data, this.#data, true);
    this.#fields.setBigUint64(this.#at.size, BigInt(size), true);
    this.#fields.setBigInt64(this.#at.selected, -1n, true);
    this.#fields.setUint8(this.#at.sorted, 0);
  }

  /** Whether any candidate is left that may be drawn. */
  get anyAllowed(): boolean {
    const size = Number(this.#fields.getBigUint64(this.#at.size, true));
    const first = this.#first;
    for (let at = 0; at < size; at++) {
      if ((this.#logits[first + at * words + 1] ?? Number.NEGATIVE_INFINITY) !== Number.NEGATIVE_INFINITY) return true;
    }
    return false;
  }

  /** What a chain has chosen; undefined: nothing. */
  get selected(): number | undefined {
    const selected = Number(this.#fields.getBigInt64(this.#at.selected, true));
    return selected < 0 ? undefined : this.#ids[this.#first + selected * words];
  }

  /** Where the candidates begin now: XTC drops the likeliest by moving the pointer on. In words. */
  get #first(): number {
    return Number(this.#fields.getBigUint64(this.#at.data, true) - this.#data) / 4;
  }

  free(): void {
    release(this.array);
    release(this.#data);
  }
}
