import { nullPointer, type Pointer } from './pointer.ts';

/** Something native with one owner: freed exactly once, and an error in JavaScript when it is used afterwards. */
export abstract class Handle {
  readonly #what: string;
  #pointer: Pointer | undefined;
  #users = 0;

  /** `what`: for the sentence, as in `The ${what} was freed already.` */
  protected constructor(what: string, pointer: Pointer) {
    this.#what = what;
    this.#pointer = pointer;
  }

  /** Throws once it has been freed. */
  get pointer(): Pointer {
    this.assertUsable();
    return this.#pointer ?? nullPointer;
  }

  get freed(): boolean {
    return this.#pointer === undefined;
  }

  /** For something native that stands on this: until it lets go, by what is returned, this cannot be freed. */
  use(): () => void {
    this.assertUsable();
    this.#users++;
    return () => this.#users--;
  }

  /** Throws once it has been freed. */
  assertUsable(): void {
    if (this.freed) throw new Error(`The ${this.#what} was freed already.`);
  }

  /** Throws the second time, and while something stands on it. */
  free(): void {
    this.release(this.#leave());
  }

  /** Another thread holds it on and frees it; here it is as if it were freed. */
  letGo(): void {
    this.#leave();
  }

  #leave(): Pointer {
    const { pointer } = this;
    if (this.#users > 0) throw new Error(`The ${this.#what} is still in use.`);
    this.#pointer = undefined;
    return pointer;
  }

  protected abstract release(pointer: Pointer): void;
}
