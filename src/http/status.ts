import type { ErrorCode } from '../contract/errors.ts';

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
export const defaultRetryAfter: Partial<Record<ErrorCode, number>> = {
  rate_limited: 1,
  overloaded: 1,
  model_loading: 2,
  draining: 5,
};
