import type { Pointer } from './pointer.ts';

/** Something native with one owner: freed exactly once, and an error in JavaScript when it is used afterwards. */
export abstract class Handle {
  readonly #what: string;
  #pointer: Pointer | undefined;

  /** `what`: for the sentence, as in `The ${what} was freed already.` */
  protected constructor(what: string, pointer: Pointer) {
    this.#what = what;
    this.#pointer = pointer;
  }

  /** Throws once it has been freed. */
  get pointer(): Pointer {
    if (this.#pointer === undefined) throw new Error(`The ${this.#what} was freed already.`);
    return this.#pointer;
  }

  get freed(): boolean {
    return this.#pointer === undefined;
  }

  /** Throws the second time. */
  free(): void {
    const { pointer } = this;
    this.#pointer = undefined;
    this.release(pointer);
  }

  protected abstract release(pointer: Pointer): void;
}
