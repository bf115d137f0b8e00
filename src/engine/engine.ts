import type { TokenLogprob } from '../contract/events.ts';
import type { Sampling } from '../contract/request.ts';
import type { ThreadPlan } from './thread-plan.ts';

/**
 * The seam between the scheduler's world and native code. One engine = one loaded model with N slots. The loop behind
 * `run` owns the native context; nobody else touches it.
 */
export interface Engine {
  readonly info: EngineInfo;
  readonly text: TokenText;
  /** What every slot holds now, by slot id: 0 ... slots-1. Cheap; read by the slot choice. */
  slots(): readonly SlotState[];
  /** Runs a sequence on a slot that no other run uses. See EngineRun. */
  run(job: EngineJob): EngineRun;
  /** Snapshots of slot state for the prefix store; undefined where the engine cannot. */
  readonly snapshots: SnapshotAccess | undefined;
  /**
   * Settles true once the slot holds at least the first `tokens` tokens of its run's prompt, false when the run ends
   * before that. Lets a request wait for a prefix that a neighbour is evaluating right now. A slot without a run is
   * about to get one: the wait begins with it. Rejects with the signal's reason.
   */
  whenHeld(slot: number, tokens: number, signal: AbortSignal): Promise<boolean>;
  /** Numbers of the loop since load, for metrics and for Retry-After. */
  stats(): EngineStats;
  /** Settles after the step in flight; running jobs fail with engine_failure. */
  dispose(): Promise<void>;
}

export interface EngineInfo {
  readonly slots: number;
  /** It encodes images or sounds: positions of an image's rows lie on a line or on a grid. undefined: it does not. */
  readonly media?: { readonly positions: 'line' | 'grid' };
  /** Tokens per slot. */
  readonly contextSize: number;
  /** Tokens per native batch. */
  readonly batchSize: number;
  readonly vocabularySize: number;
  /** For people: `CPU (AVX2), 2 threads`, `CUDA: NVIDIA H200`. */
  readonly device: string;
  /** The process that runs it, where that is not this one. */
  readonly processId?: number;
  /** Ends every turn when generated. */
  isEndOfGeneration(token: number): boolean;
}

/** Tokens <-> text. */
export interface TokenText {
  /**
   * Never blocks the event loop for more than 10 ms at a stretch. The pieces are tokenized one by one and joined, so no
   * token spans two pieces: user text that spells a control token is split between pieces and so can never become one.
   * `special`: spelled control tokens are parsed.
   */
  tokenize(
    pieces: readonly string[],
    options: { readonly special: boolean; readonly signal?: AbortSignal },
  ): Promise<number[]>;
  /** The bytes of one token: may be part of a UTF-8 character. Control tokens give their spelling. */
  bytes(token: number): Uint8Array;
  isControl(token: number): boolean;
}

export interface SlotState {
  readonly id: number;
  /**
   * Tokens whose evaluation the slot holds; from `run` on those that the run reuses, and what it has evaluated since. A
   * live view: do not keep it over an await.
   */
  readonly tokens: readonly number[];
  /** With which they were evaluated: of no use to a job with others. */
  readonly adapters?: readonly number[];
  readonly phase: 'idle' | 'prefill' | 'decode';
  /** The only lengths that it can be cut to, besides none and all; undefined: any. */
  readonly cutPoints?: readonly number[] | undefined;
}

export interface EngineJob {
  readonly slot: number;
  /** The whole prompt, never empty. The engine reuses the longest common prefix with what the slot holds. */
  readonly prompt: readonly number[];
  /** At most this much of the slot's state may be reused: 0 where it is not the request's to use. */
  readonly reuse: number;
  /**
   * Prompt positions, ascending, to which a later prompt may go back. Only models whose state cannot be cut anywhere
   * need them; without any, the place before the last token is taken.
   */
  readonly checkpoints?: readonly number[];
  /** What the ids above the vocabulary stand for, ascending; each is one run of the prompt, see media-ids. */
  readonly media?: readonly JobMedium[];
  readonly sampling: ResolvedSampling;
  /** How much of each adapter of the model is added, in their order; absent ones not at all. */
  readonly adapters?: readonly number[];
  /** GBNF, compiled by the engine and held inactive until a directive switches it on, unless `grammarActive`. */
  readonly grammar?: string;
  readonly grammarActive?: boolean;
  /** Tokens that no grammar of this job allows, whatever their text. */
  readonly grammarRefuses?: readonly number[];
  readonly logprobs?: { readonly top: number };
  readonly promptLogprobs?: { readonly top: number };
  /** The run ends with `length` after so many tokens; at most what fits the context. 0: evaluate the prompt only. */
  readonly maxTokens: number;
  /** The model's end tokens end nothing, unless a grammar allows nothing else any more. */
  readonly ignoreEos: boolean;
  /**
   * Directives other than `continue` and `stop` may come, to be obeyed at exactly the token that they answer: nothing is
   * guessed or sampled ahead. A run that is not steered and is given one fails.
   */
  readonly steered?: boolean;
  readonly signal: AbortSignal;
  /**
   * Called by the loop, synchronously, once per generated token while the next step is already being decoded. Text work
   * happens here. End-of-generation tokens are not passed. Must not throw.
   */
  onToken(token: GeneratedToken): Directive;
  /** Every prompt token's log probability, when asked; before the first onToken. */
  onPromptLogprobs?(tokens: readonly (TokenLogprob | undefined)[]): void;
}

/** A tile of an image, or a piece of a sound. */
export interface JobMedium {
  /** Where its ids begin in the prompt. */
  readonly start: number;
  readonly rows: number;
  /** How many of them lie beside one another in an image; absent: they follow one another, as tokens do. */
  readonly columns?: number;
  /** Whoever may share what was computed of it has the same key for the same content. */
  readonly key: string;
  /** Whose room for kept media it takes, see Caller. */
  readonly owner: string;
  /** What is encoded: red, green and blue of one point after another, or band after band of a spectrogram. */
  readonly tile:
    | { readonly width: number; readonly height: number; readonly bytes: Uint8Array }
    | { readonly frames: number; readonly bands: number; readonly values: Float32Array };
}

type Optional = 'logitBias' | 'minTokens' | 'advanced';

export type ResolvedSampling = Required<Omit<Sampling, Optional>> & Pick<Sampling, Optional>;

export interface GeneratedToken {
  readonly token: number;
  readonly logprob?: TokenLogprob;
  /** It was put there by a `force` directive, not sampled. */
  readonly forced: boolean;
}

/** What the run should do next; all but the first two for steered runs only. */
export type Directive =
  | { readonly type: 'continue' }
  /** End now: nothing of what is in flight is shown. */
  | { readonly type: 'stop' }
  /** These tokens come next instead of sampled ones; each is given back through onToken with `forced`. */
  | { readonly type: 'force'; readonly tokens: readonly number[] }
  /** Switch the grammar on from the next sampled token (a GBNF text replaces the job's) or off. */
  | { readonly type: 'grammar'; readonly grammar: string | 'own' | 'off' };

export interface EngineRun {
  /** Tokens of the prompt that need no evaluation. */
  readonly cachedTokens: number;
  /** Settles when the sequence is off the batch and its slot may be used again. Rejects with a ServeError (engine_failure) or the signal's reason. */
  readonly done: Promise<RunResult>;
  /** A paused run takes no part in steps: a slow reader slows its own stream only. */
  pause(): void;
  resume(): void;
}

export interface RunResult {
  readonly reason: 'end-of-generation' | 'length' | 'stopped' | 'grammar-end';
  readonly outputTokens: number;
  /** Milliseconds from the first step to the first token, and from there to the last. */
  readonly promptMs: number;
  readonly predictedMs: number;
}

/** State of a prefix that any slot can take over. */
export interface SnapshotAccess {
  /** Bytes a snapshot of so many tokens takes, as far as known. */
  estimateBytes(tokens: number): number;
  /** Saves the first `tokens` tokens of a slot; between steps. */
  save(slot: number, tokens: number): Promise<Snapshot>;
  /** The slot (no run on it) then holds the snapshot's tokens. False: refused, the slot is empty. */
  load(slot: number, snapshot: Snapshot): Promise<boolean>;
  drop(snapshot: Snapshot): void;
  /**
   * Slot to slot, between steps; `from` may be running, `to` must not. `to` then holds the first `tokens` tokens of
   * `from`. False: refused, `to` is empty.
   */
  copy(from: number, to: number, tokens: number): Promise<boolean>;
  /** Undefined where state cannot be kept in files. */
  readonly files?: StateFiles | undefined;
}

/** State that outlives the process. */
export interface StateFiles {
  /** Hex; names model file, context shape and library. State of another fingerprint must not be read: it can crash the process. */
  readonly fingerprint: string;
  /** Writes all that the slot holds; between steps. */
  write(slot: number, path: string): Promise<void>;
  /** The slot (no run on it) then holds what was written. False: refused, the slot is empty. */
  read(slot: number, path: string): Promise<boolean>;
}

export interface Snapshot {
  readonly tokens: readonly number[];
  readonly adapters?: readonly number[];
  readonly bytes: number;
  /** The engine's own handle. */
  readonly handle: unknown;
}

export interface EngineStats {
  readonly steps: number;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  /** Tiles of images and pieces of sounds that were encoded; those that were kept from before are not counted. */
  readonly encodedMedia?: number;
  /** Running averages, tokens per second; undefined before the first measurement. */
  readonly prefillRate: number | undefined;
  readonly decodeRate: number | undefined;
  readonly threads: ThreadPlan;
  readonly flashAttention: boolean | 'auto';
  /** What these two rest on, for people; undefined where nothing was measured. Milliseconds. */
  readonly calibration?: Readonly<Record<string, unknown>>;
}
