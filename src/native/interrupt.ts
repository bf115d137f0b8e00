import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { allocate, release } from './memory.ts';
import type { Pointer } from './pointer.ts';

/** Where a tensor's extents begin: after its type, padding and buffer pointer. */
const extents = 4;
const goOn = 1n;
const stop = 0n;

/**
 * A flag that a decode on the CPU looks at between two operations, without JavaScript: llama.cpp's abort callback is the
 * address of `ggml_is_empty`, its data a made-up tensor that counts as empty once its first extent is 0. The memory is
 * native, so every thread that knows the address may raise it until it lets go; the last one frees it.
 */
export class Interrupt extends Handle {
  readonly #extents: BigInt64Array;
  readonly #library: NativeLibrary;

  private constructor(library: NativeLibrary, address: Pointer) {
    const { size, offsetOf } = library.layout('ggml_tensor');
    super('interrupt', address);
    this.#library = library;
    this.#extents = new BigInt64Array(library.view(address, size), offsetOf('ne'), extents);
  }

  static create(library: NativeLibrary): Interrupt {
    const interrupt = new Interrupt(library, allocate(library.layout('ggml_tensor').size));
    interrupt.#extents.fill(goOn);
    return interrupt;
  }

  /** One that another thread created. */
  static at(library: NativeLibrary, address: Pointer): Interrupt {
    return new Interrupt(library, address);
  }

  get callback(): Pointer {
    return this.#library.functionAddress('ggml_is_empty');
  }

  raise(): void {
    this.assertUsable();
    Atomics.store(this.#extents, 0, stop);
  }

  get raised(): boolean {
    this.assertUsable();
    return Atomics.load(this.#extents, 0) === stop;
  }

  clear(): void {
    this.assertUsable();
    Atomics.store(this.#extents, 0, goOn);
  }

  protected release(pointer: Pointer): void {
    release(pointer);
  }
}
