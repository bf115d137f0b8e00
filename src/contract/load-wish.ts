import type { CacheType } from './model-settings.ts';

/** What is asked of a model's context. */
export interface ContextWish {
  /** Tokens per slot; 0: what suits the machine. */
  readonly contextSize: number;
  /** undefined: the usual, or as many as there is memory for. */
  readonly slots: number | undefined;
  readonly cacheType: CacheType;
  /** Undefined: `cacheType`. */
  readonly keyType: CacheType | undefined;
  readonly valueType: CacheType | undefined;
  /** Sliding windows keep every token. */
  readonly fullWindows: boolean;
  /** Most tokens of a step. */
  readonly batchSize: number;
  /** Without it attention scores are held for a whole batch. Undefined: what measures best. */
  readonly flashAttention: boolean | undefined;
}

/** How the layers are told to be divided among several GPUs. */
export interface Splitting {
  readonly splitMode: 'none' | 'layer' | 'row' | undefined;
  readonly mainGpu: number | undefined;
  readonly tensorSplit: readonly number[] | undefined;
}

/** Tensors whose name fits the pattern (std::regex) lie there: `CPU`, or a device's name. */
export interface TensorPlace {
  readonly pattern: string;
  readonly place: string;
}

/** And of where it goes. */
export interface PlacementWish extends ContextWish, Splitting {
  /** Counted with the output as one; undefined: as many as fit. */
  readonly gpuLayers: number | undefined;
  /** The first so many layers whose experts stay in main memory; undefined: as few as needed. */
  readonly expertLayers: number | 'all' | undefined;
  /** Tensors that were given a place by name. */
  readonly tensorPlaces: readonly TensorPlace[];
}

/** What models are computed on. */
export interface DeviceWish {
  readonly gpu: 'auto' | 'cuda' | 'metal' | 'vulkan' | 'off';
  /** GPUs by the names that the library gives them; none: all. */
  readonly device: readonly string[];
  /** Most that a model takes of each GPU; undefined: what is free. */
  readonly gpuMemoryMb: number | undefined;
}

/** One load, as far as memory and devices are concerned. */
export interface LoadWish {
  readonly placement: PlacementWish;
  readonly devices: DeviceWish;
  /** What prompt beginnings that are kept may grow to. */
  readonly prefixCacheBytes: number;
}
