import type { VocabularyFacts } from '../contract/model.ts';
import type { CacheType, Speculation } from '../contract/model-settings.ts';
import type { Clock } from '../contract/services.ts';
import type { ModelParameters } from '../native/model.ts';
import type { LibraryFiles } from '../native/open-library.ts';
import type { Embedder, Ranker } from './embedder.ts';
import type { Engine } from './engine.ts';
import type { PoolSettings, RopeParameters } from './native-settings.ts';
import type { AdapterFile, ProjectorWish, StepReport } from './remote/protocol.ts';
import type { Tuning, TuningCache } from './tuning.ts';

/** Which weights, and where they go. */
export interface WeightsWish {
  readonly path: string;
  readonly library: LibraryFiles;
  readonly parameters: ModelParameters;
  readonly adapters?: readonly AdapterFile[];
  /** What the library says goes to stderr. */
  readonly verbose?: boolean;
}

export interface LoadOptions extends WeightsWish {
  /** Tokens per slot; undefined: the trained context. */
  readonly contextSize: number | undefined;
  readonly slots: number;
  /** Instead of the two above, which were asked for: what there is memory for just now. */
  readonly fitting?: { readonly contextSize: number; readonly slots: number } | undefined;
  /** Of a model that is not on the GPU in whole, for people. */
  readonly placement?: string | undefined;
  readonly batchSize?: number | undefined;
  readonly microBatchSize?: number | undefined;
  /** undefined: calibrated or the engine's choice. */
  readonly threads?: number | undefined;
  readonly promptThreads?: number | undefined;
  readonly pool?: PoolSettings;
  readonly flashAttention?: boolean | undefined;
  /** Number formats of the context memory; default f16. */
  readonly keyType?: CacheType | undefined;
  readonly valueType?: CacheType | undefined;
  readonly unified?: boolean | undefined;
  readonly fullWindows?: boolean | undefined;
  readonly rope?: RopeParameters | undefined;
  /** The draft model by its path. */
  readonly speculation?: Speculation | undefined;
  readonly projector?: ProjectorWish | undefined;
  readonly stepTargetMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
  readonly onStep?: (report: StepReport) => void;
  readonly onFailure: (error: unknown) => void;
  /** Remembers calibrations between starts. */
  readonly tuningCache?: TuningCache;
  readonly onCalibrate?: () => void;
}

/** A loaded model, whichever process it is in. */
export interface LoadedEngine {
  readonly engine: Engine;
  readonly vocabulary: VocabularyFacts;
  readonly trainedContextSize: number;
  readonly embeddingSize: number;
  readonly parameters: number | undefined;
  readonly tuning: Tuning;
  /** Bytes that the GPUs have left; undefined without one. */
  readonly freeDeviceBytes: () => Promise<number | undefined>;
  /** Its vectors; the contexts for them are made on first use. To be disposed before the engine. */
  readonly openVectors: () => { readonly embedder: Embedder; readonly ranker: Ranker | undefined };
}
