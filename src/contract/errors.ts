/**
 * The closed list of what can go wrong. Core code throws a ServeError with a code; only the door turns codes into
 * HTTP statuses and only dialects turn them into wire shapes.
 */
export const errorCodes = [
  'invalid_request',
  'unsupported_parameter',
  'context_length_exceeded',
  'unauthorized',
  'forbidden',
  'not_found',
  'model_not_found',
  'method_not_allowed',
  'request_timeout',
  'payload_too_large',
  'unsupported_media_type',
  'rate_limited',
  'overloaded',
  'not_implemented',
  'model_loading',
  'model_not_loaded',
  'insufficient_memory',
  'draining',
  'storage_full',
  'engine_failure',
  'internal',
  /** Somebody on this side ended it: an operator, a cancel of a kept response, whoever had asked for the work. */
  'cancelled',
  /** The client left, or reads no more. */
  'client_closed',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Fields that a program can act on. Every one is optional because no error has them all. */
export interface ErrorDetails {
  /** The request field at fault, as the client spelled it: `messages[2].content`. */
  readonly param?: string;
  /** Seconds after which the same request may succeed; becomes Retry-After. */
  readonly retryAfterSeconds?: number;
  readonly tokens?: ContextNumbers;
}

export interface ContextNumbers {
  /** Prompt tokens; an estimate when `estimated`. */
  readonly needed: number;
  /** Context size in tokens. */
  readonly available: number;
  /** Asked completion tokens, -1 for the rest of the context. */
  readonly asked: number;
  readonly estimated: boolean;
}

/** The only error that crosses rooms. `message` is a sentence for a person: value, limit, next step. */
export class ServeError extends Error {
  override readonly name = 'ServeError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Anything thrown -> ServeError. Unknown errors become `internal` and keep their cause for the log, never for a client. */
export function toServeError(thrown: unknown): ServeError {
  if (thrown instanceof ServeError) return thrown;
  return new ServeError(
    'internal',
    'The server failed to answer this request. The log has the cause.',
    {},
    { cause: thrown },
  );
}

/** Of a server whose model is on its way. */
export function stillLoading(): ServeError {
  return new ServeError('model_loading', 'The model is still loading. Try again in a moment.', {
    retryAfterSeconds: 2,
  });
}
