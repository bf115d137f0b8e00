/**
 * What one release of llama.cpp's C API looks like: written by `npm run native:tables` from its headers and sources.
 *
 * A type is `void`, `bool`, a number (`int8` to `uint64`, `size_t`, `float`, `double`), `pointer`, `string` (const char *),
 * or the name of a struct; `type[count]` is an array, and `a|b` the members of an anonymous union.
 */
export interface NativeTable {
  /** As `llama_version()` tells it. */
  readonly llama: string;
  /** As `ggml_version()` tells it. */
  readonly ggml: string;
  /** As `ggml_commit()` tells it: of the release, and of the copy of its source that node-llama-cpp carries. */
  readonly commits: readonly string[];
  /** Exported by the libraries: name -> the result's type and the parameters', with spaces between. */
  readonly functions: Readonly<Record<string, string>>;
  /** Only within a backend that is loaded at run time. */
  readonly backendFunctions: Readonly<Record<string, string>>;
  /** name -> field -> type, in the order of memory. */
  readonly structs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Function that gives default parameters -> what it gives, a pointer as 0. */
  readonly defaults: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>;
}
