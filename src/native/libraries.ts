import { basename } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';

/** The native libraries of one build of llama.cpp. Absolute paths. */
export interface LibraryFiles {
  /** Holds the backends too. */
  readonly folder: string;
  readonly llama: string;
  readonly ggml: string;
  readonly ggmlBase: string;
  /** What the build was made for; `false` is the CPU alone, also where the folder has a GPU's backend. */
  readonly gpu: GpuKind | false;
  /** A device of that kind was asked for by name: without one, the library does not open. */
  readonly needsGpu?: boolean;
  /** Another build of the GPU's backend, for older drivers: taken where the folder's does not open. */
  readonly fallbackFolder?: string;
}

export type GpuKind = 'cuda' | 'vulkan' | 'metal';

export function noUsableDevice(gpu: GpuKind): Error {
  return new Error(`No usable ${gpu} device was found. Start with --gpu auto, or --gpu off for the CPU.`);
}

/** The three as one: a symbol is looked for in each. */
export class Libraries {
  readonly #handles: readonly LibraryHandle[];

  /** @throws Error in one sentence where the system cannot load one of them */
  constructor({ llama, ggml, ggmlBase }: LibraryFiles) {
    setStacks();
    // Each needs those before it, and finds them among what is loaded. Global: the backends look for theirs there.
    this.#handles = [ggmlBase, ggml, llama].map(load).reverse();
  }

  /** undefined: none of them exports it. */
  symbol(name: string): bigint | undefined {
    for (const handle of this.#handles) {
      try {
        return handle.symbol(name);
      } catch {
        // The next one may have it.
      }
    }
    return undefined;
  }
}

/**
 * koffi calls on a stack of its own, 2 MiB by default and 16 MiB at most: `llama_tokenize` of 8,000 letters without a
 * space overflows 2 MiB with the vocabularies whose words are found by `std::regex`. To be set before the first library
 * of the thread is loaded; memory that is never touched costs nothing.
 */
const stackBytes = 16 * 1024 ** 2;

function setStacks(): void {
  if (koffi.config().sync_stack_size !== stackBytes) {
    koffi.config({ sync_stack_size: stackBytes, async_stack_size: stackBytes });
  }
}

/** @returns whether the system can load it, and all that it needs. It stays loaded. */
export function canLoad(path: string): boolean {
  return tryLoad(path) !== undefined;
}

/** undefined: the system cannot load it. */
export function tryLoad(path: string): LibraryHandle | undefined {
  setStacks();
  try {
    return koffi.load(path);
  } catch {
    return undefined;
  }
}

function load(path: string): LibraryHandle {
  try {
    return koffi.load(path, { global: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
    throw new Error(`The native library ${basename(path)} cannot be loaded on this machine: ${reason}.`, {
      cause: error,
    });
  }
}
