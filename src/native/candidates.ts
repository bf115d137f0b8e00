import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { allocate, release } from './memory.ts';
import type { Pointer } from './pointer.ts';

/** Words of 4 bytes in a llama_token_data: id, logit, p. */
const words = 3;

/** A llama_token_data_array in native memory, which samplers change in place. One for a whole vocabulary, kept. */
export class Candidates extends Handle {
  readonly #most: number;
  readonly #data: Pointer;
  readonly #ids: Int32Array;
  readonly #logits: Float32Array;
  readonly #fields: DataView;
  readonly #at: Readonly<Record<'data' | 'size' | 'selected' | 'sorted', number>>;

  constructor(library: NativeLibrary, most: number) {
    const { size, offsetOf } = library.layout('llama_token_data_array');
    const array = allocate(size);
    super('list of candidates', array);
    const bytes = most * words * 4;
    this.#most = most;
    this.#data = allocate(bytes);
    const data = library.view(this.#data, bytes);
    this.#ids = new Int32Array(data);
    this.#logits = new Float32Array(data);
    this.#fields = new DataView(library.view(array, size));
    this.#at = {
      data: offsetOf('data'),
      size: offsetOf('size'),
      selected: offsetOf('selected'),
      sorted: offsetOf('sorted'),
    };
  }

  /** All tokens of the vocabulary. Copies: samplers sort and cut in place. Throws RangeError for none or too many. */
  fill(logits: Float32Array): void {
    this.#reset(logits.length);
    const [ids, target] = [this.#ids, this.#logits];
    for (let token = 0, at = 0; token < logits.length; token++, at += words) {
      ids[at] = token;
      target[at + 1] = logits[token] ?? 0;
      target[at + 2] = 0;
    }
  }

  /** One token alone, as llama.cpp asks a grammar about it. */
  single(token: number): void {
    this.#reset(1);
    this.#ids[0] = token;
    this.#logits[1] = 1;
    this.#logits[2] = 0;
  }

  /** Right after `fill`: candidates still lie by their numbers. */
  forbid(tokens: readonly number[]): void {
    this.assertUsable();
    for (const token of tokens) this.#logits[token * words + 1] = Number.NEGATIVE_INFINITY;
  }

  #reset(size: number): void {
    this.assertUsable();
    if (size < 1 || size > this.#most) throw new RangeError(`${size} candidates are not between 1 and ${this.#most}.`);
    this.#fields.setBigUint64(this.#at.data, this.#data, true);
    this.#fields.setBigUint64(this.#at.size, BigInt(size), true);
    this.#fields.setBigInt64(this.#at.selected, -1n, true);
    this.#fields.setUint8(this.#at.sorted, 0);
  }

  /** How many are left; none before the first `fill`. */
  get size(): number {
    this.assertUsable();
    return Number(this.#fields.getBigUint64(this.#at.size, true));
  }

  /** For samplers, which assert that there is a candidate. Throws RangeError where there is none. */
  get forSamplers(): Pointer {
    if (this.size === 0) throw new RangeError('There are no candidates to choose from.');
    return this.pointer;
  }

  /** Whether any candidate is left that may be sampled. */
  get anyAllowed(): boolean {
    const { size } = this;
    const first = this.#first;
    for (let at = 0; at < size; at++) {
      if ((this.#logits[first + at * words + 1] ?? Number.NEGATIVE_INFINITY) !== Number.NEGATIVE_INFINITY) return true;
    }
    return false;
  }

  /** What a chain has chosen; undefined: nothing. */
  get selected(): number | undefined {
    this.assertUsable();
    const selected = Number(this.#fields.getBigInt64(this.#at.selected, true));
    return selected < 0 ? undefined : this.#ids[this.#first + selected * words];
  }

  /** The tokens that are left with their logits and chances, in the order in which samplers left them. Copied. */
  list(): { readonly token: number; readonly logit: number; readonly chance: number }[] {
    const { size } = this;
    const first = this.#first;
    return Array.from({ length: size }, (_, index) => {
      const at = first + index * words;
      return {
        token: this.#ids[at] ?? 0,
        logit: this.#logits[at + 1] ?? 0,
        chance: this.#logits[at + 2] ?? 0,
      };
    });
  }

  /** Where the candidates begin now: XTC drops the likeliest by moving the pointer on. In words. */
  get #first(): number {
    return Number(this.#fields.getBigUint64(this.#at.data, true) - this.#data) / 4;
  }

  protected release(pointer: Pointer): void {
    release(pointer);
    release(this.#data);
  }
}
