import { Handle } from './handle.ts';
import { Interrupt } from './interrupt.ts';
import type { NativeLibrary } from './library.ts';
import type { Pointer } from './pointer.ts';
import { Vocabulary } from './vocabulary.ts';

/** Where a model lies that several threads use, and how many hold it (Int32, one element). */
export interface ModelAddress {
  readonly model: bigint;
  /** The flag that ends a decode. */
  readonly interrupt: bigint;
  readonly holders: SharedArrayBuffer;
}

/** Another thread's hold of a loaded model: its vocabulary, and the flag that ends its decodes. */
export class HeldModel extends Handle {
  readonly vocabulary: Vocabulary;
  readonly interrupt: Interrupt;
  readonly #library: NativeLibrary;
  readonly #holders: SharedArrayBuffer;

  /** The address counts this hold already. */
  constructor(library: NativeLibrary, { model, interrupt, holders }: ModelAddress) {
    super('model', model as Pointer);
    this.#library = library;
    this.#holders = holders;
    this.vocabulary = new Vocabulary(library, this);
    this.interrupt = Interrupt.at(library, interrupt as Pointer);
  }

  protected release(pointer: Pointer): void {
    if (!isLastHolder(this.#holders)) {
      this.interrupt.letGo();
      return;
    }
    this.#library.functions.llama_model_free(pointer);
    this.interrupt.free();
  }
}

/** True for the one who has to free it. */
export function isLastHolder(holders: SharedArrayBuffer): boolean {
  return Atomics.sub(new Int32Array(holders), 0, 1) === 1;
}
