import type { ServeError } from '../../contract/errors.ts';
import type {
  FinishEvent,
  GenerationEvent,
  GenerationResult,
  TokenCandidate,
  TokenLogprob,
} from '../../contract/events.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { AnswerContext, ErrorBody, Frame, StreamEncoder } from '../dialect.ts';
import { textOf, tokensOf } from '../shared/answer-text.ts';
import { wireLogprob } from '../shared/logprob.ts';
import type { OllamaCall } from './request.ts';

/** What one line or one whole answer says. */
interface Said {
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly JsonObject[];
}

/** Where `said` goes: into `message` (/api/chat) or beside `done` (/api/generate). */
export type Place = (said: Said) => JsonObject;

export const inMessage: Place = ({ text, thinking, toolCalls }) => ({
  message: {
    role: 'assistant',
    content: text,
    ...(thinking !== '' && { thinking }),
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  },
});

export const inResponse: Place = ({ text, thinking }) => ({ response: text, ...(thinking !== '' && { thinking }) });

const nothing: Said = { text: '', thinking: '', toolCalls: [] };

export function whole(
  place: Place,
  call: OllamaCall,
  answer: AnswerContext,
  results: readonly GenerationResult[],
): JsonObject {
  const [result] = results;
  if (!result) return { ...head(answer), ...place(nothing), ...loaded(call) };
  const calls = result.blocks.flatMap((block) => (block.kind === 'tool-call' ? [block] : []));
  const toolCalls = calls.map((block, index) => toToolCall(block.id, block.name, block.arguments, index));
  return {
    ...head(answer),
    ...place({ text: textOf(result, 'text'), thinking: textOf(result, 'reasoning'), toolCalls }),
    ...toLogprobs(call, tokensOf(result)),
    ...ending(result.finish),
  };
}

/** Text and thinking as they come; a call in one piece when it is complete, because its arguments are an object here. */
export function encoder(place: Place, call: OllamaCall, answer: AnswerContext): StreamEncoder {
  let finish: FinishEvent | undefined;
  let open: Extract<GenerationEvent, { type: 'block-start' }> | undefined;
  let pending: string[] = [];
  let calls = 0;
  const line = (said: Said, more: JsonObject): Frame => ({
    type: 'data',
    data: { ...head(answer), ...place(said), ...more },
  });
  return {
    encode(event) {
      switch (event.type) {
        case 'block-start':
          open = event;
          pending = [];
          return [];
        case 'block-delta': {
          if (open?.kind === 'tool-call') {
            pending.push(event.delta);
            return [];
          }
          if (event.delta === '' && !event.logprobs?.length) return [];
          const said = open?.kind === 'reasoning' ? { thinking: event.delta } : { text: event.delta };
          return [line({ ...nothing, ...said }, { ...toLogprobs(call, event.logprobs ?? []), done: false })];
        }
        case 'block-end': {
          if (open?.kind !== 'tool-call') return [];
          const toolCalls = [toToolCall(open.id, open.name, pending.join(''), calls)];
          calls += 1;
          return [line({ ...nothing, toolCalls }, { done: false })];
        }
        case 'finish':
          finish = event;
          return [];
        default:
          return [];
      }
    },
    end: () => [line(nothing, finish ? ending(finish) : loaded(call))],
    fail: (thrown) => [{ type: 'data', data: error(thrown).body }],
    // NDJSON has no comments, and the official client warns of blank lines.
    heartbeat: () => line(nothing, { done: false }),
  };
}

function head(answer: AnswerContext): JsonObject {
  return { model: answer.model, created_at: new Date(answer.created * 1000).toISOString() };
}

function loaded(call: OllamaCall): JsonObject {
  return { done: true, ...(call.wish && { done_reason: call.wish }) };
}

const nanosecondsPerMillisecond = 1e6;

/** The durations in nanoseconds. The model was loaded before the request came: `load_duration` is 0. */
function ending({ reason, usage, timings, seed }: FinishEvent): JsonObject {
  const nanoseconds = (milliseconds: number) => Math.round(milliseconds * nanosecondsPerMillisecond);
  return {
    done: true,
    done_reason: reason === 'length' ? 'length' : 'stop',
    total_duration: nanoseconds(timings.queueMs + timings.promptMs + timings.predictedMs),
    load_duration: 0,
    prompt_eval_count: usage.inputTokens,
    prompt_eval_duration: nanoseconds(timings.promptMs),
    eval_count: usage.outputTokens,
    eval_duration: nanoseconds(timings.predictedMs),
    seed,
  };
}

function toToolCall(id: string, name: string, text: string, index: number): JsonObject {
  return { id, function: { index, name, arguments: toArguments(text) } };
}

/** Clients read members of an object. What is none goes into one, so that nothing is lost. */
function toArguments(text: string): JsonObject {
  if (text.trim() === '') return {};
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return { input: text };
  }
  return isJsonObject(value) ? value : { input: value };
}

function toLogprobs(call: OllamaCall, tokens: readonly TokenLogprob[]): JsonObject {
  if (!call.generations[0]?.logprobs) return {};
  const candidate = ({ text, logprob, bytes }: TokenCandidate): JsonObject => ({
    token: text,
    logprob: wireLogprob(logprob),
    bytes,
  });
  return { logprobs: tokens.map((token) => ({ ...candidate(token), top_logprobs: token.top.map(candidate) })) };
}

export function error(thrown: ServeError): ErrorBody {
  return { body: { error: thrown.message } };
}
