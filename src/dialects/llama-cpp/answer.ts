import type { ServeError } from '../../contract/errors.ts';
import type { FinishEvent, GenerationResult, TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { GenerationRequest } from '../../contract/request.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { rawText, tokensOf } from '../shared/answer-text.ts';
import { defined } from '../shared/defined.ts';
import { wireLogprob } from '../shared/logprob.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { openaiTimings } from '../shared/openai-usage.ts';
import { progressOf } from '../shared/progress.ts';
import type { LlamaCall } from './fields.ts';

/** The answer of one choice. llama.cpp's server README, "POST /completion", response format. */
export function wholeChoice(call: LlamaCall, answer: AnswerContext, result: GenerationResult, index = 0): JsonObject {
  const text = rawText(result);
  return pick(
    {
      ...piece(call, index, text, tokensOf(result)),
      ...ending(call, answer, { finish: result.finish, index, hasNewLine: text.includes('\n') }),
    },
    call.responseFields,
  );
}

/** One frame for each piece, and for each choice a last one with the figures. There is no terminator. */
export function encoder(call: LlamaCall, answer: AnswerContext): StreamEncoder {
  const choices = call.generations.map(() => ({ inputTokens: 0, hasNewLine: false }));
  const data = (object: JsonObject): Frame => ({ type: 'data', data: object });
  return {
    encode(event, index) {
      const choice = choices[index];
      if (!choice) throw new RangeError(`choice ${index} of ${choices.length}`);
      const running = { stop: false, id_slot: -1, tokens_evaluated: choice.inputTokens };
      switch (event.type) {
        case 'start':
          choice.inputTokens = event.inputTokens;
          return [];
        case 'queued':
        case 'prompt-progress':
          return [data({ ...piece(call, index, '', []), ...running, ...progressOf(event) })];
        case 'block-delta':
          if (event.delta === '' && !event.logprobs?.length) return [];
          choice.hasNewLine ||= event.delta.includes('\n');
          return [data({ ...piece(call, index, event.delta, event.logprobs ?? []), ...running })];
        case 'finish': {
          const last = ending(call, answer, { finish: event, index, hasNewLine: choice.hasNewLine });
          return [data(pick({ ...piece(call, index, '', []), ...last }, call.responseFields))];
        }
        case 'block-start':
        case 'block-end':
        case 'prompt-logprobs':
        case 'tool-list':
        case 'tool-state':
        case 'tool-result':
        case 'round':
          return [];
        default:
          return event satisfies never;
      }
    },
    end: () => [],
    fail: (error: ServeError) => [data({ error: openaiErrorObject(error) })],
    heartbeat: () => ({ type: 'comment', text: 'keep-alive' }),
  };
}

function piece(call: LlamaCall, index: number, content: string, tokens: readonly TokenLogprob[]): JsonObject {
  return {
    index,
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

interface Ended {
  readonly finish: FinishEvent;
  readonly index: number;
  readonly hasNewLine: boolean;
}

/** The members that only the end of an answer has. `id_slot` is -1: which slot it was is no business of clients. */
function ending(call: LlamaCall, answer: AnswerContext, { finish, index, hasNewLine }: Ended): JsonObject {
  const request = call.generations[index];
  return {
    id_slot: -1,
    stop: true,
    model: answer.model,
    tokens_predicted: finish.usage.outputTokens,
    tokens_evaluated: finish.usage.inputTokens,
    tokens_cached: finish.usage.cachedTokens,
    ...(request && { generation_settings: settings(call, request, finish) }),
    ...(request?.prompt.type === 'text' && { prompt: request.prompt.text }),
    has_new_line: hasNewLine,
    truncated: false,
    stop_type: finish.reason === 'length' ? 'limit' : finish.stopString === undefined ? 'eos' : 'word',
    stopping_word: finish.stopString ?? '',
    timings: openaiTimings([finish]),
  };
}

/** What was asked for, and the seed that was used. What was left to the model's recommendation is not repeated here. */
function settings(call: LlamaCall, { sampling, maxTokens, stop, ignoreEos }: GenerationRequest, finish: FinishEvent) {
  return defined({
    n_predict: maxTokens,
    max_tokens: maxTokens,
    seed: finish.seed,
    temperature: sampling.temperature,
    top_k: sampling.topK,
    top_p: sampling.topP,
    min_p: sampling.minP,
    repeat_penalty: sampling.repeatPenalty,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
    stop: [...stop],
    ignore_eos: ignoreEos,
    stream: call.stream,
    n_probs: call.probabilities,
  });
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
