import type { ContextNumbers, ErrorCode, ServeError } from '../../contract/errors.ts';
import type { ErrorBody } from '../dialect.ts';

interface AnthropicName {
  readonly type: string;
  /** Where it differs from the door's. */
  readonly status?: number;
}

/** Anthropic's words for our codes. 529 makes its SDKs and Claude Code wait and try again. */
const names = {
  invalid_request: { type: 'invalid_request_error' },
  unsupported_parameter: { type: 'invalid_request_error' },
  context_length_exceeded: { type: 'invalid_request_error' },
  unauthorized: { type: 'authentication_error' },
  forbidden: { type: 'permission_error' },
  not_found: { type: 'not_found_error' },
  model_not_found: { type: 'not_found_error' },
  method_not_allowed: { type: 'invalid_request_error' },
  request_timeout: { type: 'timeout_error' },
  payload_too_large: { type: 'request_too_large' },
  unsupported_media_type: { type: 'invalid_request_error' },
  rate_limited: { type: 'rate_limit_error' },
  overloaded: { type: 'rate_limit_error' },
  not_implemented: { type: 'invalid_request_error' },
  model_loading: { type: 'overloaded_error', status: 529 },
  model_not_loaded: { type: 'api_error' },
  insufficient_memory: { type: 'api_error' },
  storage_full: { type: 'api_error' },
  draining: { type: 'overloaded_error', status: 529 },
  engine_failure: { type: 'api_error' },
  internal: { type: 'api_error' },
  cancelled: { type: 'api_error' },
  client_closed: { type: 'api_error' },
} as const satisfies Record<ErrorCode, AnthropicName>;

/** `{type: "error", error: {type, message}}`; the request id is in the header `request-id`. */
export function toErrorBody(error: ServeError): ErrorBody {
  const { type, status }: AnthropicName = names[error.code];
  const body = { type: 'error', error: { type, message: toMessage(error) } };
  return status === undefined ? { body } : { body, status };
}

function toMessage(error: ServeError): string {
  const { tokens } = error.details;
  return error.code === 'context_length_exceeded' && tokens ? overflowText(tokens) : error.message;
}

/**
 * Claude Code reads these two sentences: the first makes it compact the conversation, the second makes it ask again with
 * fewer `max_tokens`. So they are written exactly as Anthropic's API writes them.
 */
function overflowText({ needed, available, asked }: ContextNumbers): string {
  if (needed < available && asked > 0)
    return `input length and \`max_tokens\` exceed context limit: ${needed} + ${asked} > ${available}, decrease input length or \`max_tokens\` and try again`;
  return `prompt is too long: ${needed} tokens > ${available} maximum`;
}
