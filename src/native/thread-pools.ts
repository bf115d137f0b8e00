import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';

export interface PoolSettings {
  /** Cores that the threads may run on; undefined: all. */
  readonly cpuMask?: readonly number[] | undefined;
  /** Each thread on one core of the mask. */
  readonly strict?: boolean | undefined;
  /** -1 (low) to 3 (realtime); above 0 needs rights. */
  readonly priority?: number | undefined;
  /** How long an idle thread spins before it sleeps: 0 (not at all) to 100. */
  readonly poll?: number | undefined;
}

/** GGML_MAX_N_THREADS. */
const mostThreads = 512;
const usualPoll = 50;

/** They are the CPU backend's own, which is loaded at run time. */
function poolFunctions(library: NativeLibrary) {
  const cpu = library.functions.ggml_backend_reg_by_name('CPU');
  return {
    create: library.backendFunction(cpu, 'ggml_threadpool_new'),
    free: library.backendFunction(cpu, 'ggml_threadpool_free'),
  };
}

class ThreadPool extends Handle {
  readonly #free: (pointer: Pointer) => void;

  constructor(library: NativeLibrary, threads: number, settings: PoolSettings) {
    const { create, free } = poolFunctions(library);
    const params = library.functions.ggml_threadpool_params_default(threads);
    const mask = settings.cpuMask;
    const pointer = create(
      library.write('ggml_threadpool_params', {
        ...params,
        ...(mask && { cpumask: Array.from({ length: mostThreads }, (_, core) => mask.includes(core)) }),
        strict_cpu: settings.strict ?? false,
        prio: settings.priority ?? 0,
        poll: settings.poll ?? usualPoll,
      }),
    );
    if (pointer === nullPointer) throw new Error(`A pool of ${threads} threads could not be made.`);
    super('thread pool', pointer);
    this.#free = free;
  }

  protected release(pointer: Pointer): void {
    this.#free(pointer);
  }
}

/**
 * Persistent ggml threads, one pool per thread count: a graph must be given exactly as many threads as its pool has. Pools
 * sleep between graphs after having polled; the thread that computes is the first thread of each.
 */
export class ThreadPools {
  readonly #library: NativeLibrary;
  readonly #settings: PoolSettings;
  readonly #pools = new Map<number, ThreadPool>();

  constructor(library: NativeLibrary, settings: PoolSettings = {}) {
    this.#library = library;
    this.#settings = settings;
  }

  /** The pool of so many threads, made on first use. */
  of(threads: number): Handle {
    if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
      throw new RangeError(`${threads} is no number of threads (1 to ${mostThreads}).`);
    }
    let pool = this.#pools.get(threads);
    if (!pool) {
      pool = new ThreadPool(this.#library, threads, this.#settings);
      this.#pools.set(threads, pool);
    }
    return pool;
  }

  /** Throws while they are attached to a context. */
  free(): void {
    for (const pool of this.#pools.values()) pool.free();
    this.#pools.clear();
  }
}
