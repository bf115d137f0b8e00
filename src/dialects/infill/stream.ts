import type { ServeError } from '../../contract/errors.ts';
import type { FinishEvent, GenerationResult, TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { rawText, tokensOf } from '../shared/answer-text.ts';
import { wireLogprob } from '../shared/logprob.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { openaiTimings } from '../shared/openai-usage.ts';
import { progressOf } from '../shared/progress.ts';
import type { InfillCall } from './request.ts';

export function whole(call: InfillCall, answer: AnswerContext, results: readonly GenerationResult[]): JsonObject {
  const [result] = results;
  if (!result) return {};
  const content = piece(call, rawText(result), tokensOf(result));
  return pick({ ...content, ...ending(answer, result.finish) }, call.responseFields);
}

export function encoder(call: InfillCall, answer: AnswerContext): StreamEncoder {
  let inputTokens = 0;
  let finish: FinishEvent | undefined;
  const data = (object: JsonObject): Frame => ({ type: 'data', data: object });
  return {
    encode(event) {
      if (event.type === 'start') inputTokens = event.inputTokens;
      if (event.type === 'finish') finish = event;
      const running = { stop: false, id_slot: -1, tokens_evaluated: inputTokens };
      const progress = progressOf(event);
      if (progress) return [data({ ...piece(call, '', []), ...running, ...progress })];
      if (event.type !== 'block-delta') return [];
      if (event.delta === '' && !event.logprobs?.length) return [];
      return [data({ ...piece(call, event.delta, event.logprobs ?? []), ...running })];
    },
    end: () => (finish ? [data(pick({ ...piece(call, '', []), ...ending(answer, finish) }, call.responseFields))] : []),
    fail: (error: ServeError) => [data({ error: openaiErrorObject(error) })],
    heartbeat: () => ({ type: 'comment', text: 'keep-alive' }),
  };
}

function piece(call: InfillCall, content: string, tokens: readonly TokenLogprob[]): JsonObject {
  return {
    index: 0,
    content,
    tokens: call.returnTokens ? tokens.map(({ token }) => token) : [],
    ...(call.probabilities > 0 && { completion_probabilities: tokens.map(toProbability) }),
  };
}

function toProbability(token: TokenLogprob): JsonObject {
  const candidate = (one: TokenCandidate) => ({
    id: one.token,
    token: one.text,
    bytes: one.bytes,
    logprob: wireLogprob(one.logprob),
  });
  return { ...candidate(token), top_logprobs: token.top.map(candidate) };
}

/** The members that only the end of an answer has. `id_slot` is -1: which slot it was is no business of clients. */
function ending(answer: AnswerContext, finish: FinishEvent): JsonObject {
  return {
    id_slot: -1,
    stop: true,
    model: answer.model,
    tokens_predicted: finish.usage.outputTokens,
    tokens_evaluated: finish.usage.inputTokens,
    tokens_cached: finish.usage.cachedTokens,
    truncated: false,
    stop_type: finish.reason === 'length' ? 'limit' : finish.stopString === undefined ? 'eos' : 'word',
    stopping_word: finish.stopString ?? '',
    timings: openaiTimings([finish]),
  };
}

/** llama.cpp's `response_fields`: names, or paths whose value moves to the top under the whole path. */
function pick(answer: JsonObject, fields: readonly string[] | undefined): JsonObject {
  if (!fields) return answer;
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = at(answer, field);
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

function at(answer: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = answer;
  for (const step of path.split('/')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}
