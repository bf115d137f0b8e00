import type { Caller } from './caller.ts';
import type { GenerationEvent, Usage } from './events.ts';
import type { JsonObject } from './json.ts';
import type { ModelProfile } from './model.ts';
import type { AdapterScale, GenerationRequest } from './request.ts';

/** What the door may ask of the conductor. Built by main, handed to http. */
export interface GenerationService {
  /**
   * The events of one choice. Errors before `start` are thrown by the first `next()`, so that the door can still send a
   * true status; `start` comes when the request has its slot, before its prefill. Aborting the signal with a ServeError
   * `client_closed` stops the work within a step; leaving the loop does so too. `spent` is told once, when a run that had
   * a slot has left it, however it ended: what was read and written by then.
   */
  generate(
    request: GenerationRequest,
    signal: AbortSignal,
    spent?: (usage: Usage) => void,
  ): AsyncIterable<GenerationEvent>;
  /** Settles when the model that serves the name is there, loaded when need be; waits for the first one as `generate` does. */
  ready(model: string | undefined, signal: AbortSignal): Promise<void>;
  countTokens(request: GenerationRequest, signal: AbortSignal): Promise<PromptCount>;
  /** The prompt as text, as the model would see it. */
  renderPrompt(request: GenerationRequest): Promise<string>;
}

/** What a prompt would take if it was sent now. */
export interface PromptCount {
  /** Exactly the prompt tokens that `generate` would report. */
  readonly inputTokens: number;
  /** Those of them that need not be read any more; an estimate, as others may come in between. */
  readonly cachedTokens: number;
  /** Milliseconds to the first token, the wait for a slot included: an estimate. Absent until anything was measured. */
  readonly firstTokenMs?: number;
}

/** An answer that later requests may name. */
export interface StoredResponse {
  /** `resp_...` */
  readonly id: string;
  /** Whose it is, see Caller; `''`: kept while there were no keys. */
  readonly owner: string;
  /** The response object as it was sent last. */
  readonly response: JsonObject;
  /** The items that its request brought along, each with an id. */
  readonly input: readonly JsonObject[];
  /** Every event of its stream, for those that may ask for it again. */
  readonly events?: readonly JsonObject[];
}

/** Answers kept on request, bounded by count, size and age. What a caller does not see is not there. */
export interface ResponseStore {
  /** Visible to `find` at once; settles when it is safe where the store keeps it. Replaces one of the same id. */
  save(entry: StoredResponse): Promise<void>;
  find(id: string, caller: Pick<Caller, 'sees'>): Promise<StoredResponse | undefined>;
  /** False: there was none. */
  remove(id: string, caller: Pick<Caller, 'sees'>): Promise<boolean>;
  /** Settles when every entry is safe. */
  close(): Promise<void>;
}

/** What a person has used. Times are unix milliseconds. */
export interface UsageAccount {
  /** See Caller; `''`: everybody on a server without keys. */
  readonly owner: string;
  readonly since: number;
  readonly lastUsed: number;
  readonly requests: number;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** The day of the last use, of UTC, counted from 1970. */
  readonly day: number;
  /** Tokens of prompts and answers on that day. */
  readonly todayTokens: number;
}

/** Who has used how much, however it ended. Servers that keep it in one folder count together. */
export interface UsageLedger {
  /** A request that passed the limits. */
  began(owner: string): void;
  spent(owner: string, tokens: Pick<UsageAccount, 'inputTokens' | 'cachedTokens' | 'outputTokens'>): void;
  /** Tokens used since midnight UTC, those of other servers as of some seconds ago, and the milliseconds until the next. */
  today(owner: string): { readonly tokens: number; readonly msLeft: number };
  list(): Promise<readonly UsageAccount[]>;
  /** Settles when everything is safe. */
  close(): Promise<void>;
}

export type ServerState = 'loading' | 'ready' | 'draining' | 'empty';

/** A model that a request may name. What only a loaded one tells is a guess until then. */
export interface KnownModel {
  readonly profile: ModelProfile;
  readonly state: 'loaded' | 'loading' | 'not-loaded';
}

/** The models as the door sees them. */
export interface ModelDirectory {
  state(): ServerState;
  /** Loaded models, the default one first. */
  list(): readonly ModelProfile[];
  /** All that a request may name, the default one first: loaded, or loaded by the request. Each id and alias is one model's. */
  known(): Promise<readonly KnownModel[]>;
  /**
   * The model that serves this name. Unknown names are served by the default model, unless the server is strict
   * (ServeError model_not_found). model_loading or model_not_loaded when there is none.
   */
  resolve(name: string | undefined): ModelProfile;
  /**
   * What will serve this name: as `resolve`, but while the server starts a guess instead of model_loading. Which one it
   * was says the start event of the generation.
   */
  expect(name: string | undefined): Pick<ModelProfile, 'id' | 'slots'>;
}

/** The adapters of loaded models. ServeError model_not_found or model_not_loaded for a model that is not loaded. */
export interface AdapterService {
  list(model: string | undefined): readonly AdapterInfo[];
  /** For requests that say nothing; adapters that are not named are not added. ServeError invalid_request: no such id. */
  set(model: string | undefined, scales: readonly AdapterScale[]): void;
}

export interface AdapterInfo extends AdapterScale {
  readonly path: string;
}

/** Milliseconds since some fixed moment, monotonic. */
export type Clock = () => number;

/** Time that passes, handed in like every clock: tests move it by hand. */
export interface Timers {
  /** Calls back once after so many milliseconds, unless the returned function is called before. Never keeps the process alive. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** One line per request, written when it is over. Milliseconds; absent members were never reached. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  /** The row of the route table that answered, as `/v1/models/:id`; undefined: there is none. */
  readonly route?: string;
  /** The name of the key, never the key. */
  readonly key?: string;
  readonly status: number;
  readonly dialect?: string;
  readonly model?: string;
  readonly inputTokens?: number;
  readonly cachedTokens?: number;
  readonly outputTokens?: number;
  readonly queueMs?: number;
  readonly firstTokenMs?: number;
  readonly totalMs: number;
  /** Finish reason, `cancelled`, `client_closed`, or the error code. */
  readonly outcome: string;
  readonly error?: string;
  /** W3C trace context, when the caller sent one: version-traceid-parentid-flags. */
  readonly traceparent?: string;
}

/** What the rooms tell telemetry. */
export interface Telemetry {
  request(record: RequestRecord): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Text as its tokenizer reads it, spelled control tokens being plain text; or tokens, taken as they are. */
export type EmbeddingInput = string | readonly number[];

export interface Embedding {
  /** As the model pools it, not normalised. */
  readonly vector: readonly number[];
  /** Tokens evaluated, those that the vocabulary adds included. */
  readonly tokens: number;
  /** Tokens that the whole input had, where it was cut. */
  readonly cutFrom?: number;
}

export interface EmbeddingCall {
  readonly model: string | undefined;
  readonly inputs: readonly EmbeddingInput[];
  /** Cut inputs that are too long at their end instead of refusing them. */
  readonly truncate: boolean;
  /** Members of each vector that will be used; more than there are is refused. */
  readonly dimensions: number | undefined;
}

export interface EmbeddingAnswer {
  /** The name of the model that gave the vectors. */
  readonly model: string;
  /** One per input, in their order, whole and not normalised. */
  readonly embeddings: readonly Embedding[];
}

/** Who asks for vectors. */
export interface VectorCaller {
  /** See Caller: owners take turns, however many requests each has. */
  readonly owner: string;
  readonly signal: AbortSignal;
}

/** Vectors of texts. Model names as in ModelDirectory.resolve. */
export interface EmbeddingService {
  /**
   * Before anything is evaluated: context_length_exceeded for an input that is too long, `param` naming it (`input[3]`),
   * and invalid_request for too many dimensions.
   */
  embed(call: EmbeddingCall, caller: VectorCaller): Promise<EmbeddingAnswer>;
}

export interface Ranking {
  /** 0 to 1: how likely the document answers the query. In the order of the documents. */
  readonly scores: readonly number[];
  /** Tokens evaluated over all pairs of query and document. */
  readonly tokens: number;
}

export interface RankingCall {
  readonly model: string | undefined;
  readonly query: string;
  readonly documents: readonly string[];
}

export interface RankingAnswer extends Ranking {
  /** The name of the model that gave the scores. */
  readonly model: string;
}

/** Relevance of documents to a query. */
export interface RerankService {
  /** invalid_request where the model that serves the name cannot rank. */
  rank(call: RankingCall, caller: VectorCaller): Promise<RankingAnswer>;
}

/** Tokens and texts. Model names as in ModelDirectory.resolve. */
export interface TokenService {
  tokenize(model: string | undefined, text: string, options: TokenizeOptions): Promise<readonly number[]>;
  /** Exactly the prompt tokens that `generate` would evaluate. */
  promptTokens(request: GenerationRequest, signal: AbortSignal): Promise<readonly number[]>;
  /** The bytes of each token, which may be parts of characters. invalid_request for a number that is no token. */
  pieces(model: string | undefined, tokens: readonly number[], signal: AbortSignal): Promise<readonly Uint8Array[]>;
}

interface TokenizeOptions {
  /** With the begin and end marks that the vocabulary wants around a text. */
  readonly addSpecial: boolean;
  /** Spelled control tokens become control tokens. */
  readonly parseSpecial: boolean;
  readonly signal: AbortSignal;
}
