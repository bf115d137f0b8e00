import type { ServeError } from '../../contract/errors.ts';
import type { FinishEvent, Usage } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext } from '../dialect.ts';
import type { ResponseSettings } from './settings.ts';

export const responseIdPrefix = 'resp_';

export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'cancelled' | 'failed';

/** How far a response has come. */
export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly JsonObject[];
  readonly finish?: FinishEvent;
  readonly error?: ServeError;
}

/**
 * The response object: OpenAI's `Response`. A field without a value is null where the type of OpenAI's SDK says so, and
 * absent where the type only makes it optional: clients that check answers against a schema know the difference.
 */
export function responseObject(settings: ResponseSettings, answer: AnswerContext, state: ResponseState): JsonObject {
  const { status, output, finish, error } = state;
  return {
    id: responseIdPrefix + answer.id,
    object: 'response',
    created_at: answer.created,
    completed_at: finish && status === 'completed' ? answer.created + secondsOf(finish) : null,
    status,
    error: error ? { code: failureCode(error), message: error.message } : null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    model: answer.model,
    output,
    usage: finish && usageObject(finish.usage),
    seed: finish?.seed,
    ...settings,
  };
}

export function finishedStatus(finish: FinishEvent): ResponseStatus {
  if (finish.cancelled === true) return 'cancelled';
  return finish.reason === 'length' ? 'incomplete' : 'completed';
}

function usageObject(usage: Usage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
    // Of answers for which the server ran tools; the prompt above is then the last round's, the answer that of all.
    ...(usage.rounds && { rounds: usage.rounds.map(usageObject) }),
  };
}

function secondsOf({ timings }: FinishEvent): number {
  return Math.round((timings.queueMs + timings.promptMs + timings.predictedMs) / 1000);
}

/** Codes that clients act on: Codex compacts its history on the first and waits on the second. */
function failureCode(error: ServeError): string {
  switch (error.code) {
    case 'context_length_exceeded':
      return 'context_length_exceeded';
    case 'overloaded':
    case 'rate_limited':
      return 'rate_limit_exceeded';
    case 'invalid_request':
    case 'unsupported_parameter':
      return 'invalid_prompt';
    default:
      return 'server_error';
  }
}
