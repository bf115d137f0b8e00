import type { ServeError } from '../contract/errors.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { acceptedCodings } from './decode-body.ts';
import { defaultRetryAfter, statusOf } from './status.ts';

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
