import koffi from 'koffi';
import { checkLayouts } from './check-layouts.ts';
import { chooseTable } from './choose-table.ts';
import { withVariable } from './environment.ts';
import { type BackendFunctions, GgmlBackendDevType, type NativeFunctions } from './functions.ts';
import { Libraries, type LibraryFiles, noUsableDevice } from './libraries.ts';
import type { NativeLibrary } from './library.ts';
import { NativeTypes, type Signature } from './native-types.ts';
import { neededFunctions } from './needed.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import type { NativeTable } from './table.ts';
import { table as llama_0_4_0 } from './tables/llama-0.4.0.ts';
import { table as llama_0_5_0 } from './tables/llama-0.5.0.ts';

export type { LibraryFiles } from './libraries.ts';

export interface OpenLibraryOptions {
  /** What the library says goes to stderr. Otherwise nowhere. Of the process: as its last caller wants it. */
  readonly verbose?: boolean;
  readonly tables?: readonly NativeTable[];
  readonly needed?: readonly string[];
}

/**
 * Opens the libraries in this thread, after finding out that they are what the tables say. The process has them once,
 * however many threads open them. Loads the backends of the folder unless the process has some.
 * @throws Error in one sentence: not loadable, another version, a missing function, another layout
 */
export function openLibrary(files: LibraryFiles, options: OpenLibraryOptions = {}): NativeLibrary {
  const { verbose, ...how } = options;
  const key = JSON.stringify(files);
  const library = (Object.keys(how).length === 0 ? opened.get(key) : undefined) ?? open(files, how);
  if (Object.keys(how).length === 0) opened.set(key, library);
  silence(library, verbose ?? false);
  return library;
}

/** By this thread: looking at them once is enough. */
const opened = new Map<string, NativeLibrary>();

function open(files: LibraryFiles, options: Omit<OpenLibraryOptions, 'verbose'>): NativeLibrary {
  const libraries = new Libraries(files);
  const table = chooseTable(libraries, files, options.tables ?? [llama_0_5_0, llama_0_4_0]);
  const types = new NativeTypes(table.structs);
  assertExported(libraries, table, options.needed ?? neededFunctions);
  const functions = bindLazily(libraries, table, types);
  const library: NativeLibrary = {
    files,
    version: table.llama,
    functions,
    functionAddress: (name) => addressIn(libraries, table, name),
    backendFunction: (registration, name) => {
      const address = functions.ggml_backend_reg_get_proc_address(registration, namesInBackends[name] ?? name);
      if (address === nullPointer) throw new Error(`The backend has no function ${name}.`);
      return callable(address, types.signature(table.backendFunctions[name] ?? '')) as BackendFunctions[typeof name];
    },
    view: (pointer, bytes) => {
      if (pointer === nullPointer) throw new Error('There is no memory at the null pointer.');
      return koffi.view(pointer, bytes);
    },
    address: (view) => koffi.address(view) as Pointer,
    layout: (struct) => types.layout(struct),
    read: (struct, pointer) => koffi.decode(pointer, types.type(struct)),
    write: (struct, value) => {
      const bytes = new Uint8Array(types.layout(struct).size);
      koffi.encode(bytes, types.type(struct), value);
      return bytes;
    },
  };
  silence(library, false);
  checkLayouts(library, libraries, table, types);
  if (functions.ggml_backend_reg_count() === 0) loadBackends(library);
  if (files.gpu && files.needsGpu && !hasGpu(functions)) throw noUsableDevice(files.gpu);
  return library;
}

/** Backends give some functions under the name that all of them share (ggml-backend.h), not their own. */
const namesInBackends: Partial<Record<keyof BackendFunctions, string>> = {
  ggml_backend_cpu_set_n_threads: 'ggml_backend_set_n_threads',
  ggml_backend_cpu_set_abort_callback: 'ggml_backend_set_abort_callback',
};

function loadBackends({ files, functions }: NativeLibrary): void {
  const load = () => functions.ggml_backend_load_all_from_path(files.folder);
  // Metal keeps what is resident in sets, and asserts at the end of the process that they are empty: every exit with a
  // loaded model would be a crash.
  if (process.platform === 'darwin') withVariable('GGML_METAL_NO_RESIDENCY', '1', load);
  else load();
  if (files.gpu && files.fallbackFolder && !hasGpu(functions)) {
    functions.ggml_backend_load_all_from_path(files.fallbackFolder);
  }
}

/** Whether a model can be put on a GPU of this machine. */
function hasGpu(functions: NativeFunctions): boolean {
  const kinds: readonly number[] = [GgmlBackendDevType.GPU, GgmlBackendDevType.IGPU];
  const count = functions.ggml_backend_dev_count();
  return Array.from({ length: count }, (_, index) => functions.ggml_backend_dev_get(index)).some((device) =>
    kinds.includes(functions.ggml_backend_dev_type(device)),
  );
}

/**
 * A native function hears the log: JavaScript would be called on the thread that registered it, while the thread that
 * speaks waits for it, however busy the other one is. `llama_supports_mmap` reads no argument and changes nothing.
 */
function silence({ functions, functionAddress }: NativeLibrary, verbose: boolean): void {
  functions.llama_log_set(verbose ? null : functionAddress('llama_supports_mmap'), null);
}

function assertExported(libraries: Libraries, table: NativeTable, needed: readonly string[]): void {
  const missing = needed.filter((name) => !(name in table.functions) || libraries.symbol(name) === undefined);
  if (missing.length === 0) return;
  throw new Error(
    `The native library of llama.cpp ${table.llama} lacks ${missing.join(', ')}: install serve-model and node-llama-cpp again.`,
  );
}

function addressIn(libraries: Libraries, table: NativeTable, name: string): Pointer {
  const address = name in table.functions ? libraries.symbol(name) : undefined;
  if (address === undefined) throw new Error(`llama.cpp ${table.llama} has no function ${name}.`);
  return address as Pointer;
}

/** Most of the 850 functions are never called, and binding one takes longer than a call of it. */
function bindLazily(libraries: Libraries, table: NativeTable, types: NativeTypes): NativeFunctions {
  const functions = {};
  for (const [name, line] of Object.entries(table.functions)) {
    const bind = () => {
      const bound = callable(addressIn(libraries, table, name), types.signature(line));
      Object.defineProperty(functions, name, { value: bound });
      return bound;
    };
    Object.defineProperty(functions, name, { get: bind, configurable: true, enumerable: true });
  }
  return functions as NativeFunctions;
}

/** koffi gives null where C gives NULL. */
function callable(address: Pointer, { result, parameters, givesPointer }: Signature) {
  const call = koffi.decode(address, koffi.proto(result, [...parameters]));
  return givesPointer ? (...given: unknown[]) => call(...given) ?? nullPointer : call;
}
