import type { GenerationEvent } from './events.ts';
import type { ModelProfile } from './model.ts';
import type { GenerationRequest } from './request.ts';

/** What the door may ask of the conductor. Built by main, handed to http. */
export interface GenerationService {
  /**
   * The events of one choice. Errors before `start` are thrown by the first `next()`, so that the door can still send a
   * true status; `start` comes when the request has its slot, before its prefill. Aborting the signal with a ServeError
   * `client_closed` stops the work within a step; leaving the loop does so too.
   */
  generate(request: GenerationRequest, signal: AbortSignal): AsyncIterable<GenerationEvent>;
  /** Exactly the prompt tokens that `generate` would report. */
  countTokens(request: GenerationRequest, signal: AbortSignal): Promise<number>;
  /** The prompt as text, as the model would see it. */
  renderPrompt(request: GenerationRequest): Promise<string>;
}

export type ServerState = 'loading' | 'ready' | 'draining' | 'empty';

/** The models as the door sees them. */
export interface ModelDirectory {
  state(): ServerState;
  /** Loaded models, the default one first. */
  list(): readonly ModelProfile[];
  /**
   * The model that serves this name. Unknown names are served by the default model, unless the server is strict
   * (ServeError model_not_found). model_loading or model_not_loaded when there is none.
   */
  resolve(name: string | undefined): ModelProfile;
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
}

/** What the rooms tell telemetry. */
export interface Telemetry {
  request(record: RequestRecord): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
}
