import type { BackendFunctions, NativeFunctions, NativeStructs } from './functions.ts';
import type { LibraryFiles } from './libraries.ts';
import type { StructLayout } from './native-types.ts';
import type { Pointer } from './pointer.ts';

/** llama.cpp's C API. A call blocks the thread; what a wrong one does to the process is told in this room's README. */
export interface NativeLibrary {
  readonly files: LibraryFiles;
  /** Of llama.cpp, such as `0.5.0-dev`. */
  readonly version: string;
  /** Bound on first use. @throws Error at the access to one that this release does not have */
  readonly functions: NativeFunctions;
  /** Of a function in the libraries, to be called by them. */
  functionAddress(name: keyof NativeFunctions): Pointer;
  /** A function that only a backend has. @throws Error where it has none of that name */
  backendFunction<Name extends keyof BackendFunctions>(registration: Pointer, name: Name): BackendFunctions[Name];
  /** The memory itself, not a copy: valid as long as its owner keeps it. */
  view(pointer: Pointer, bytes: number): ArrayBuffer;
  /** Of the view's first byte: valid as long as JavaScript keeps the view. */
  address(view: ArrayBufferView): Pointer;
  layout(struct: keyof NativeStructs): StructLayout;
  /** A copy of the struct at this address. */
  read<Name extends keyof NativeStructs>(struct: Name, pointer: Pointer): NativeStructs[Name];
  /** The struct in C's layout, to be passed by address. Every field has to be there: C reads zero where one is not. */
  write<Name extends keyof NativeStructs>(struct: Name, value: NativeStructs[Name]): Uint8Array;
}
