import type { ErrorCode, ServeError } from '../contract/errors.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { acceptedCodings } from './bodies/decode-body.ts';

/** The only place where a code becomes an HTTP status. 499 is nginx's word for a client that left; nobody reads it. */
export const statusOf = {
  invalid_request: 400,
  unsupported_parameter: 400,
  context_length_exceeded: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  model_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  cancelled: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  overloaded: 429,
  client_closed: 499,
  engine_failure: 500,
  internal: 500,
  not_implemented: 501,
  model_loading: 503,
  model_not_loaded: 503,
  insufficient_memory: 503,
  draining: 503,
  storage_full: 507,
} as const satisfies Record<ErrorCode, number>;

/** Seconds, for codes that say "later" where the error itself does not know when. */
const defaultRetryAfter: Partial<Record<ErrorCode, number>> = {
  rate_limited: 1,
  overloaded: 1,
  model_loading: 2,
  draining: 5,
};

/** Whose words an error is told in. */
export type ErrorShape = Pick<Dialect, 'name' | 'error' | 'requestIdHeader'>;

/** An error before the first byte: true status, the dialect's own body. */
export function errorResponse(shape: ErrorShape, error: ServeError, headers: Record<string, string> = {}): Response {
  const { body, status } = shape.error(error);
  return Response.json(body, {
    status: status ?? statusOf[error.code],
    headers: { ...headersOf(error), ...headers },
  });
}

function headersOf(error: ServeError): Record<string, string> {
  const retryAfter = error.details.retryAfterSeconds ?? defaultRetryAfter[error.code];
  return {
    // Whole seconds, rounded up: a client that comes a little early is refused again.
    ...(retryAfter !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
    ...(error.code === 'unauthorized' && { 'www-authenticate': 'Bearer' }),
    ...(error.code === 'unsupported_media_type' && { 'accept-encoding': acceptedCodings }),
    // The official SDKs ask again after a 409 unless they are told not to: what was ended on purpose stays ended.
    ...(error.code === 'cancelled' && { 'x-should-retry': 'false' }),
    // What is left of the body will not be read.
    ...((error.code === 'request_timeout' || error.code === 'payload_too_large') && { connection: 'close' }),
  };
}
