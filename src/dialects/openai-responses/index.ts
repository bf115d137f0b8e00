import { ServeError } from '../../contract/errors.ts';
import { eventsOf, type GenerationResult } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Dialect } from '../dialect.ts';
import { openaiError } from '../shared/openai-error.ts';
import { ResponsesEncoder } from './encoder.ts';
import { parseResponses, type ResponsesCall } from './request.ts';
import { responseIdPrefix } from './response.ts';

/**
 * OpenAI's Responses API, the part without a memory: `POST /v1/responses`. Shapes follow the types of OpenAI's SDK and
 * https://platform.openai.com/docs/api-reference/responses.
 */
export const openaiResponses = {
  name: 'openai-responses',
  format: 'sse',
  idPrefix: responseIdPrefix,
  showsServerTools: 'asked',
  parse: (body: unknown, withTools = false) => parseResponses(body, { withTools }),
  whole: wholeResponse,
  encoder: (call: ResponsesCall, answer: AnswerContext) => new ResponsesEncoder(call, answer),
  error: (error: ServeError) => openaiError(inputWords(error)),
} satisfies Dialect<ResponsesCall>;

/** What other rooms know as messages, this API's clients have sent as `input`. */
function inputWords(error: ServeError): ServeError {
  if (error.details.param?.startsWith('messages') !== true) return error;
  return new ServeError(error.code, error.message, { ...error.details, param: 'input' }, { cause: error });
}

/** The response of the stream's terminal event: there is no second way to build one. */
function wholeResponse(call: ResponsesCall, answer: AnswerContext, results: readonly GenerationResult[]): JsonObject {
  const encoder = new ResponsesEncoder(call, answer);
  for (const event of results.flatMap(eventsOf)) encoder.encode(event);
  return encoder.response;
}
