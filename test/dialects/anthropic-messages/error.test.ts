import { describe, expect, it } from 'vitest';
import type { ErrorCode, ErrorDetails } from '../../../src/contract/errors.ts';
import { errorCodes, ServeError } from '../../../src/contract/errors.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';

const errorFor = (code: ErrorCode, details: ErrorDetails = {}) =>
  anthropicMessages.error(new ServeError(code, 'A sentence.', details));

describe('errors of /v1/messages', () => {
  it('gives every code one of Anthropic’s types, and 529 while the server cannot take requests yet or any more', () => {
    const types = {
      invalid_request: ['invalid_request_error', undefined],
      unsupported_parameter: ['invalid_request_error', undefined],
      context_length_exceeded: ['invalid_request_error', undefined],
      unauthorized: ['authentication_error', undefined],
      forbidden: ['permission_error', undefined],
      not_found: ['not_found_error', undefined],
      model_not_found: ['not_found_error', undefined],
      method_not_allowed: ['invalid_request_error', undefined],
      request_timeout: ['timeout_error', undefined],
      payload_too_large: ['request_too_large', undefined],
      unsupported_media_type: ['invalid_request_error', undefined],
      rate_limited: ['rate_limit_error', undefined],
      overloaded: ['rate_limit_error', undefined],
      not_implemented: ['invalid_request_error', undefined],
      model_loading: ['overloaded_error', 529],
      model_not_loaded: ['api_error', undefined],
      insufficient_memory: ['api_error', undefined],
      storage_full: ['api_error', undefined],
      draining: ['overloaded_error', 529],
      engine_failure: ['api_error', undefined],
      internal: ['api_error', undefined],
      cancelled: ['api_error', undefined],
      client_closed: ['api_error', undefined],
    } as const satisfies Record<ErrorCode, readonly [string, number | undefined]>;
    for (const code of errorCodes) {
      const [type, status] = types[code];
      const body = { type: 'error', error: { type, message: 'A sentence.' } };
      expect(errorFor(code), code).toEqual(status === undefined ? { body } : { body, status });
    }
  });

  it('words an overflow so that Claude Code compacts, and an answer that does not fit so that it asks for less', () => {
    const cases = [
      [{ needed: 9000, available: 8192, asked: -1 }, 'prompt is too long: 9000 tokens > 8192 maximum'],
      [{ needed: 9000, available: 8192, asked: 100 }, 'prompt is too long: 9000 tokens > 8192 maximum'],
      [{ needed: 8192, available: 8192, asked: 100 }, 'prompt is too long: 8192 tokens > 8192 maximum'],
      [
        { needed: 8000, available: 8192, asked: 500 },
        'input length and `max_tokens` exceed context limit: 8000 + 500 > 8192, decrease input length or `max_tokens` and try again',
      ],
    ] as const;
    for (const [numbers, message] of cases)
      expect(errorFor('context_length_exceeded', { tokens: { ...numbers, estimated: false } }).body).toEqual({
        type: 'error',
        error: { type: 'invalid_request_error', message },
      });
  });
});
