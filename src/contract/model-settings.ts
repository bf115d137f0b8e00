const smallCacheTypes = ['q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0'] as const;

/** Number formats of the context memory that keys and values may have alike, the largest first. */
export const cacheTypes = ['f32', 'f16', ...smallCacheTypes] as const;
/** Those that keys or values may have by themselves. */
export const cacheTypesApart = ['f32', 'f16', 'bf16', ...smallCacheTypes, 'iq4_nl'] as const;
export type CacheType = (typeof cacheTypesApart)[number];

/** How tokens are guessed that one step then confirms: by a small model of the same vocabulary, by its path, or in the text. */
export type Speculation = 'off' | 'lookup' | { readonly draftModel: string };

/** How one model is to be loaded. Absent members take the server's settings. */
export interface ModelSettings {
  /** Tokens per slot. */
  readonly contextSize?: number;
  readonly slots?: number;
  readonly gpuLayers?: number;
  /** GPUs to put the model on, counted from 0; absent or none: all. */
  readonly gpuIds?: readonly number[];
  /** Number format of the context memory. */
  readonly cacheType?: (typeof cacheTypes)[number];
  /** Jinja text instead of the file's. */
  readonly chatTemplate?: string;
  readonly speculation?: Speculation;
}

/** A LoRA adapter that models are loaded with, and how much of it is added for requests that say nothing. */
export interface ScaledAdapter {
  readonly path: string;
  readonly scale: number;
}
