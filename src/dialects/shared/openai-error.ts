import { type ErrorCode, ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ErrorBody } from '../dialect.ts';
import { defined } from './defined.ts';

interface OpenaiName {
  readonly type: string;
  readonly code: string | null;
}

const invalid = 'invalid_request_error';

/** OpenAI's words for our codes; its SDKs act on the status and show type and code. */
const names = {
  invalid_request: { type: invalid, code: 'invalid_value' },
  unsupported_parameter: { type: invalid, code: 'unsupported_parameter' },
  context_length_exceeded: { type: invalid, code: 'context_length_exceeded' },
  unauthorized: { type: invalid, code: 'invalid_api_key' },
  forbidden: { type: invalid, code: 'forbidden' },
  not_found: { type: invalid, code: 'not_found' },
  model_not_found: { type: invalid, code: 'model_not_found' },
  method_not_allowed: { type: invalid, code: 'method_not_allowed' },
  request_timeout: { type: 'timeout_error', code: 'request_timeout' },
  payload_too_large: { type: invalid, code: 'payload_too_large' },
  unsupported_media_type: { type: invalid, code: 'unsupported_media_type' },
  rate_limited: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  overloaded: { type: 'rate_limit_error', code: 'backpressure' },
  not_implemented: { type: invalid, code: 'not_implemented' },
  model_loading: { type: 'server_error', code: 'model_loading' },
  model_not_loaded: { type: 'server_error', code: 'model_not_loaded' },
  insufficient_memory: { type: 'server_error', code: 'insufficient_memory' },
  draining: { type: 'server_error', code: 'draining' },
  storage_full: { type: 'server_error', code: 'storage_full' },
  engine_failure: { type: 'server_error', code: 'engine_failure' },
  internal: { type: 'server_error', code: null },
  cancelled: { type: 'server_error', code: 'cancelled' },
  client_closed: { type: 'server_error', code: 'client_closed' },
} as const satisfies Record<ErrorCode, OpenaiName>;

/** `{error: {message, type, param, code}}`, with the numbers of a context that is too long beside them. */
export function openaiErrorObject(error: ServeError): JsonObject {
  const { type, code } = names[error.code];
  const tokens = error.details.tokens;
  return defined({
    message: error.message,
    type,
    param: error.details.param ?? null,
    code,
    tokens: tokens && { ...tokens },
  });
}

export function openaiError(error: ServeError): ErrorBody {
  return { body: { error: openaiErrorObject(error) } };
}

/** For routes that belong to no dialect. */
export const openaiShape = { name: 'openai', error: openaiError } as const;

/** The same error about the field's name in this dialect: other rooms call the prompt `messages`. */
export function renameParam(error: ServeError, names: Readonly<Record<string, string>>): ServeError {
  const { param } = error.details;
  const name = param === undefined ? undefined : names[param];
  if (name === undefined) return error;
  return new ServeError(error.code, error.message, { ...error.details, param: name }, { cause: error.cause });
}
