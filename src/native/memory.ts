import koffi from 'koffi';
import type { Pointer } from './pointer.ts';

/** Zeroed native memory, which stays where it is until `release`; every thread of the process may use it. */
export function allocate(bytes: number): Pointer {
  const pointer = koffi.alloc('uint8', bytes) as Pointer;
  new Uint8Array(koffi.view(pointer, bytes)).fill(0);
  return pointer;
}

export function release(pointer: Pointer): void {
  koffi.free(pointer);
}

/**
 * JavaScript that the library calls within our own call, on the same thread: the only kind that it is ever given. From
 * another thread, the caller would wait for this one's event loop.
 */
export function progressCallback(call: (fraction: number) => boolean): { readonly pointer: Pointer; release(): void } {
  const pointer = koffi.register(call, koffi.pointer(progressType));
  return { pointer: pointer as Pointer, release: () => koffi.unregister(pointer) };
}

const progressType = koffi.proto('bool (float fraction, void *data)');
