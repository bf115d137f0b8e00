import type { TokenLogprob } from '../../contract/events.ts';
import type { CacheType, Speculation } from '../../contract/model-settings.ts';
import type { ProjectorFile } from '../../contract/projector.ts';
import type { WireError } from '../../contract/wire-error.ts';
import type { ModelFacts, ModelParameters } from '../../native/model.ts';
import type { LibraryFiles } from '../../native/open-library.ts';
import type { ModelAddress } from '../../native/shared-model.ts';
import type { Pooling } from '../embedder.ts';
import type { Directive, EngineJob, EngineStats, GeneratedToken, RunResult } from '../engine.ts';
import type { PoolSettings, RopeParameters } from '../native-settings.ts';
import type { Tuning } from '../tuning.ts';

export { fromWire, toWire } from '../../contract/wire-error.ts';

/**
 * What the server and the engine's thread say to each other, by structured clone: over a message port to a thread of this
 * process, or over Node's own channel to a process that hands it on to its thread. Messages arrive in their order. Runs,
 * calls and steps are named by numbers that only grow.
 */
export type ToLoop =
  /** It will be needed: opening it takes a while. */
  | { readonly type: 'library'; readonly files: LibraryFiles }
  | { readonly type: 'weights'; readonly options: WeightsOptions }
  | { readonly type: 'context'; readonly options: ContextOptions }
  /** A model for vectors alone has no context of its own. */
  | { readonly type: 'vectors'; readonly options: VectorOptions }
  | { readonly type: 'run'; readonly run: number; readonly job: WireJob }
  | { readonly type: 'abort' | 'pause' | 'resume'; readonly run: number }
  /**
   * The answer to every step message that delivers tokens; runs that say only `continue` are left out, and those that
   * are `held` say it later, each in a message of its own.
   */
  | {
      readonly type: 'directives';
      readonly step: number;
      readonly runs: readonly RunDirectives[];
      readonly held?: readonly number[];
    }
  | { readonly type: 'late-directives'; readonly step: number; readonly said: RunDirectives }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | { readonly type: 'cancel'; readonly id: number }
  /** The thread gives everything back and ends. */
  | { readonly type: 'dispose' };

export type FromLoop =
  | { readonly type: 'progress'; readonly fraction: number }
  | { readonly type: 'calibrate' }
  | { readonly type: 'weights-loaded'; readonly weights: LoadedWeights }
  | { readonly type: 'loaded'; readonly facts: LoadedFacts }
  | { readonly type: 'load-failed'; readonly error: WireError }
  | StepMessage
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'refusal'; readonly id: number; readonly error: WireError }
  /** The engine is broken and does no further step. */
  | { readonly type: 'failed'; readonly error: WireError }
  /** Everything is given back. */
  | { readonly type: 'ended' };

export interface WeightsOptions {
  readonly path: string;
  readonly library: LibraryFiles;
  /** What the library says goes to stderr. */
  readonly verbose: boolean;
  readonly parameters: ModelParameters;
  /** Adapters of the model, in the order of their ids. */
  readonly adapters: readonly AdapterFile[];
}

export interface AdapterFile {
  readonly path: string;
}

export interface ContextOptions {
  /** Tokens per slot. */
  readonly contextSize: number;
  readonly slots: number;
  readonly batchSize: number | undefined;
  readonly microBatchSize: number | undefined;
  /** undefined: measured or remembered on CPUs. */
  readonly threads: number | undefined;
  /** Of prompts; undefined: as `threads`. */
  readonly promptThreads: number | undefined;
  readonly pool: PoolSettings;
  readonly flashAttention: boolean | undefined;
  readonly keyType: CacheType | undefined;
  readonly valueType: CacheType | undefined;
  readonly unified: boolean | undefined;
  readonly fullWindows: boolean | undefined;
  readonly rope: RopeParameters | undefined;
  /** The draft model by its path. */
  readonly speculation: Speculation | undefined;
  readonly stepTargetMs: number;
  /** Encodes images and sounds for this model. */
  readonly projector: ProjectorWish | undefined;
  /** What an earlier start measured. */
  readonly remembered: Tuning | undefined;
}

export interface ProjectorWish {
  readonly file: ProjectorFile;
  /** Of encoded media that are kept for the next turn. */
  readonly cacheBytes: number;
}

export interface VectorOptions {
  readonly threads: number | undefined;
  readonly pool: PoolSettings;
}

/** The model, for whoever shares its memory. */
export interface LoadedWeights {
  readonly architecture: string;
  readonly facts: ModelFacts;
  readonly pooling: Pooling;
  /** It has a ranking head. */
  readonly ranks: boolean;
  /** GPUs that the library computes on, for people; none on the CPU. */
  readonly gpus: readonly string[];
  /** Of the model in native memory and its holders, see SharedModel; useless in another process. */
  readonly shared: ModelAddress;
}

export interface LoadedFacts {
  readonly slots: number;
  readonly contextSize: number;
  readonly batchSize: number;
  /** Where rows of images and sounds stand; undefined: it encodes none. */
  readonly media: { readonly positions: 'line' | 'grid' } | undefined;
  readonly tuning: Tuning;
  /** Measured on a quiet machine: worth remembering. */
  readonly steady: boolean;
  readonly stats: EngineStats;
  /** False: the state of its slots can be cut at checkpoints only, and not be moved. */
  readonly movable: boolean;
}

export interface WireJob
  extends Omit<EngineJob, 'prompt' | 'signal' | 'onToken' | 'onPromptLogprobs'>,
    Record<'prompt', Int32Array> {}

/** All that happened since the last one. What is absent did not. */
export interface StepMessage {
  readonly type: 'step';
  readonly step: number;
  /** Runs whose slot was cut to what they reuse. */
  readonly admitted?: readonly { readonly run: number; readonly cachedTokens: number }[];
  readonly promptLogprobs?: readonly {
    readonly run: number;
    readonly tokens: readonly (TokenLogprob | undefined)[];
  }[];
  /** In the order in which they were sampled; a run may be there several times. */
  readonly delivered?: readonly { readonly run: number; readonly tokens: readonly GeneratedToken[] }[];
  readonly slots?: readonly SlotReport[];
  readonly ended?: readonly RunEnd[];
  readonly reports?: readonly StepReport[];
  readonly stats?: LoopStats;
}

export type LoopStats = Pick<
  EngineStats,
  'steps' | 'prefillTokens' | 'decodeTokens' | 'encodedMedia' | 'prefillRate' | 'decodeRate'
>;

/** One decode. */
export interface StepReport {
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly sequences: number;
  readonly ms: number;
}

/** A slot holds the beginning of its last run's prompt and tokens; how much of it is told here. */
export interface SlotReport {
  readonly slot: number;
  readonly run: number;
  readonly held: number;
  readonly cutPoints: readonly number[] | undefined;
}

export type RunEnd =
  | { readonly run: number; readonly result: RunResult }
  | { readonly run: number; readonly error: WireError };

export interface RunDirectives {
  readonly run: number;
  readonly directives: readonly Directive[];
}

export type Question =
  /** Answered by whoever has the vocabulary: the process, not its engine's thread. */
  | { readonly about: 'tokens'; readonly pieces: readonly string[]; readonly special: boolean }
  | { readonly about: 'save'; readonly slot: number; readonly tokens: number }
  | { readonly about: 'load'; readonly slot: number; readonly snapshot: number }
  | { readonly about: 'drop'; readonly snapshot: number }
  | { readonly about: 'copy'; readonly from: number; readonly to: number; readonly tokens: number }
  | { readonly about: 'write-file'; readonly slot: number; readonly path: string }
  | { readonly about: 'read-file'; readonly slot: number; readonly path: string }
  | { readonly about: 'device-memory' }
  /** Inputs with their marks, none longer than what the model takes. Owners take turns. */
  | { readonly about: 'embed'; readonly owner: string; readonly inputs: readonly Int32Array[] }
  | { readonly about: 'rank'; readonly owner: string; readonly pairs: readonly Int32Array[] };

export type Topic = Question['about'];

export type Answer =
  | { readonly about: 'tokens'; readonly tokens: Int32Array }
  | { readonly about: 'save'; readonly snapshot: number; readonly tokens: number; readonly bytes: number }
  | { readonly about: 'load'; readonly done: boolean }
  | { readonly about: 'copy'; readonly done: boolean }
  | { readonly about: 'drop' }
  | { readonly about: 'write-file' }
  /** undefined: refused. */
  | { readonly about: 'read-file'; readonly tokens: Int32Array | undefined }
  | { readonly about: 'device-memory'; readonly free: number | undefined }
  | { readonly about: 'embed'; readonly vectors: readonly Float32Array[] }
  | { readonly about: 'rank'; readonly scores: readonly number[] };
