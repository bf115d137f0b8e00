import { type ErrorCode, type ErrorDetails, ServeError } from '../../contract/errors.ts';
import type { TokenLogprob } from '../../contract/events.ts';
import type { VocabularyFacts } from '../../contract/model.ts';
import type { Embedding, EmbeddingInput, Ranking } from '../../contract/services.ts';
import type { Embedder, Ranker } from '../embedder.ts';
import type { Directive, EngineInfo, EngineJob, EngineStats, GeneratedToken, RunResult } from '../engine.ts';
import type { LoadOptions } from '../llama/load.ts';
import type { StepReport } from '../llama/step-loop.ts';
import type { Tuning } from '../llama/tune.ts';
import type { TokenTable } from '../token-table.ts';

/**
 * What the server's process and the engine's say to each other, over Node's own channel (serialization `advanced`, so
 * maps and typed arrays go as they are). Messages arrive in their order. Runs, calls and steps are named by numbers that
 * only grow.
 */
export type ToChild =
  | { readonly type: 'load'; readonly options: ChildLoadOptions }
  | { readonly type: 'run'; readonly run: number; readonly job: WireJob }
  | { readonly type: 'abort' | 'pause' | 'resume'; readonly run: number }
  /** The answer to every step message that delivers tokens; runs that say only `continue` are left out. */
  | { readonly type: 'directives'; readonly step: number; readonly runs: readonly RunDirectives[] }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | { readonly type: 'cancel'; readonly id: number }
  /** The child ends when it is done. */
  | { readonly type: 'dispose' };

export type ToParent =
  | { readonly type: 'progress'; readonly fraction: number }
  | { readonly type: 'calibrate' }
  | { readonly type: 'log'; readonly level: string; readonly message: string }
  | { readonly type: 'loaded'; readonly facts: LoadedFacts }
  | { readonly type: 'load-failed'; readonly error: WireError }
  | StepMessage
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'refusal'; readonly id: number; readonly error: WireError }
  /** The engine is broken and does no further step. */
  | { readonly type: 'failed'; readonly error: WireError };

export interface ChildLoadOptions
  extends Pick<
    LoadOptions,
    | 'path'
    | 'gpu'
    | 'gpuLayers'
    | 'contextSize'
    | 'slots'
    | 'onProcessor'
    | 'batchSize'
    | 'threads'
    | 'flashAttention'
    | 'cacheType'
    | 'speculation'
    | 'stepTargetMs'
  > {
  /** Where calibrations are remembered. */
  readonly tuningFile: string | undefined;
}

export interface LoadedFacts {
  readonly info: Omit<EngineInfo, 'isEndOfGeneration'>;
  readonly tokens: TokenTable;
  readonly vocabulary: VocabularyFacts;
  readonly trainedContextSize: number;
  readonly embeddingSize: number;
  readonly parameters: number | undefined;
  readonly tuning: Tuning;
  readonly stats: EngineStats;
  /** undefined: the state of its slots cannot be moved. */
  readonly snapshots: { readonly fingerprint: string | undefined } | undefined;
  readonly embedder: Pick<Embedder, 'dimensions' | 'pooling' | 'maxTokens'>;
  readonly ranker: Pick<Ranker, 'maxTokens'> | undefined;
}

export interface WireJob
  extends Omit<EngineJob, 'prompt' | 'signal' | 'onToken' | 'onPromptLogprobs'>,
    Record<'prompt', Uint32Array> {}

/** All that happened since the last one. At most one for each turn of the child's event loop, so one for each step. */
export interface StepMessage {
  readonly type: 'step';
  readonly step: number;
  /** Runs whose slot was cut to what they reuse. */
  readonly admitted: readonly { readonly run: number; readonly cachedTokens: number }[];
  readonly promptLogprobs: readonly {
    readonly run: number;
    readonly tokens: readonly (TokenLogprob | undefined)[];
  }[];
  readonly delivered: readonly { readonly run: number; readonly tokens: readonly GeneratedToken[] }[];
  readonly slots: readonly SlotReport[];
  readonly ended: readonly RunEnd[];
  readonly reports: readonly StepReport[];
  readonly stats: Pick<EngineStats, 'steps' | 'prefillTokens' | 'decodeTokens' | 'prefillRate' | 'decodeRate'>;
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
  | { readonly about: 'tokens'; readonly pieces: readonly string[]; readonly special: boolean }
  | { readonly about: 'save'; readonly slot: number; readonly tokens: number }
  | { readonly about: 'load'; readonly slot: number; readonly snapshot: number }
  | { readonly about: 'drop'; readonly snapshot: number }
  | { readonly about: 'copy'; readonly from: number; readonly to: number; readonly tokens: number }
  | { readonly about: 'write-file'; readonly slot: number; readonly path: string }
  | { readonly about: 'read-file'; readonly slot: number; readonly path: string }
  | { readonly about: 'device-memory' }
  | { readonly about: 'embed'; readonly inputs: readonly EmbeddingInput[]; readonly truncate: boolean }
  | { readonly about: 'rank'; readonly query: string; readonly documents: readonly string[] };

export type Topic = Question['about'];

export type Answer =
  | { readonly about: 'tokens'; readonly tokens: Uint32Array }
  | { readonly about: 'save'; readonly snapshot: number; readonly tokens: number; readonly bytes: number }
  | { readonly about: 'load'; readonly done: boolean }
  | { readonly about: 'copy'; readonly done: boolean }
  | { readonly about: 'drop' }
  | { readonly about: 'write-file' }
  /** undefined: refused. */
  | { readonly about: 'read-file'; readonly tokens: Uint32Array | undefined }
  | { readonly about: 'device-memory'; readonly free: number | undefined }
  | { readonly about: 'embed'; readonly embeddings: readonly Embedding[] }
  | { readonly about: 'rank'; readonly ranking: Ranking };

export interface WireError {
  /** undefined: no ServeError. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly details: ErrorDetails;
  /** For the log. */
  readonly cause: string | undefined;
}

export function toWire(error: unknown): WireError {
  if (!(error instanceof ServeError))
    return { code: undefined, message: wordsOf(error), details: {}, cause: undefined };
  const { code, message, details, cause } = error;
  return { code, message, details, cause: cause === undefined ? undefined : wordsOf(cause) };
}

export function fromWire({ code, message, details, cause }: WireError): Error {
  const options = cause === undefined ? {} : { cause };
  return code === undefined ? new Error(message, options) : new ServeError(code, message, details, options);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
