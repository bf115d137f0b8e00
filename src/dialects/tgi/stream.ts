import type { ServeError } from '../../contract/errors.ts';
import type { BlockDelta, FinishEvent, GenerationResult, TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, ErrorBody, Frame, StreamEncoder } from '../dialect.ts';
import { rawText, tokensOf } from '../shared/answer-text.ts';
import { wireLogprob } from '../shared/logprob.ts';
import type { TgiCall } from './request.ts';

export function whole(call: TgiCall, _answer: AnswerContext, results: readonly GenerationResult[]): JsonObject {
  const [result] = results;
  if (!result) return {};
  const tokens = tokensOf(result);
  return {
    generated_text: call.before + rawText(result),
    ...(call.details && {
      details: {
        ...toDetails(result.finish),
        prefill: [],
        tokens: tokens.map((token) => toToken(token, token.text)),
        ...(call.topTokens > 0 && { top_tokens: tokens.map(toTopTokens) }),
      },
    }),
  };
}

/** `text` may differ from the token's own: a character of several tokens comes with the last of them. */
function toToken(token: TokenLogprob, text: string): JsonObject {
  return { id: token.token, text, logprob: wireLogprob(token.logprob), special: false };
}

function toTopTokens(token: TokenLogprob): readonly JsonObject[] {
  return token.top.map((one: TokenCandidate) => ({
    id: one.token,
    text: one.text,
    logprob: wireLogprob(one.logprob),
    special: false,
  }));
}

function toDetails(finish: FinishEvent): JsonObject {
  return {
    finish_reason:
      finish.reason === 'length' ? 'length' : finish.stopString === undefined ? 'eos_token' : 'stop_sequence',
    generated_tokens: finish.usage.outputTokens,
    prompt_tokens: finish.usage.inputTokens,
    prompt_cache_len: finish.usage.cachedTokens,
    seed: finish.seed,
  };
}

/**
 * One frame per token. The last frame carries the whole text and the details beside a special end mark without text, as
 * it does where an end-of-turn token ends the answer; clients leave special tokens out of the text.
 */
export function encoder(call: TgiCall): StreamEncoder {
  const pieces: string[] = [];
  let index = 0;
  let finish: FinishEvent | undefined;
  const frame = (token: JsonObject, more: JsonObject): Frame => {
    index += 1;
    return { type: 'data', data: { index, token, ...more } };
  };
  return {
    encode(event) {
      if (event.type === 'finish') finish = event;
      if (event.type !== 'block-delta') return [];
      pieces.push(event.delta);
      return splitTexts(event).map((token, position) => {
        const source = event.logprobs?.[position];
        const top = call.topTokens > 0 && source ? { top_tokens: toTopTokens(source) } : {};
        return frame(token, { ...top, generated_text: null, details: null });
      });
    },
    end() {
      if (!finish) return [];
      const mark = { id: 0, text: '', logprob: 0, special: true };
      return [frame(mark, { generated_text: call.before + pieces.join(''), details: toDetails(finish) })];
    },
    fail: (thrown) => [{ type: 'data', data: error(thrown).body }],
    heartbeat: () => ({ type: 'comment', text: 'keep-alive' }),
  };
}

/** The tokens of a delta with the text that each adds: together exactly the delta. */
function splitTexts(event: BlockDelta): readonly JsonObject[] {
  const tokens = event.logprobs ?? [];
  // Text that was held back may come out after its tokens did.
  if (tokens.length === 0) return event.delta === '' ? [] : [{ id: 0, text: event.delta, logprob: 0, special: false }];
  const fits = tokens.map((token) => token.text).join('') === event.delta;
  return tokens.map((token, position) =>
    toToken(token, fits ? token.text : position === tokens.length - 1 ? event.delta : ''),
  );
}

/** TGI's clients read `error_type`: it names the exception class they raise. */
export function error(thrown: ServeError): ErrorBody {
  return { body: { error: thrown.message, error_type: errorType(thrown) } };
}

function errorType({ code }: ServeError): string {
  switch (code) {
    case 'overloaded':
    case 'rate_limited':
    case 'draining':
    case 'model_loading':
      return 'overloaded';
    case 'engine_failure':
    case 'internal':
    case 'insufficient_memory':
    case 'storage_full':
      return 'generation';
    case 'cancelled':
    case 'client_closed':
      return 'incomplete_generation';
    default:
      return 'validation';
  }
}
