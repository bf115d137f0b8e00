import type { Block, FinishEvent, GenerationResult, StartEvent } from '../../contract/events.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { AnswerContext } from '../dialect.ts';
import { packReasoning } from '../shared/hidden-reasoning.ts';
import type { MessagesCall } from './request.ts';

/** `input` of a tool_use is an object. Text that is none goes under this key, as Anthropic advises, and comes back by it. */
export const invalidJsonKey = 'INVALID_JSON';

export const idPrefix = 'msg_';

/** The whole answer, in the shape of the SDK's `Message`. */
export function wholeMessage(call: MessagesCall, answer: AnswerContext, result: GenerationResult): JsonObject {
  return {
    ...emptyMessage(answer, result.start),
    content: result.blocks.map((block) => toContentBlock(block, call.showThinking)),
    ...stopFields(result.finish),
    usage: { ...startUsage(result.start), ...finishUsage(result.finish) },
    seed: result.finish.seed,
  };
}

/** The message before its first block. */
export function emptyMessage(answer: AnswerContext, start: StartEvent): JsonObject {
  return {
    id: `${idPrefix}${answer.id}`,
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: startUsage(start),
  };
}

function toContentBlock(block: Block, showThinking: boolean): JsonObject {
  switch (block.kind) {
    case 'text':
      return { ...emptyBlocks.text, text: block.text };
    case 'reasoning':
      return {
        ...emptyBlocks.reasoning,
        thinking: showThinking ? block.text : '',
        signature: signatureFor(block.text, showThinking),
      };
    case 'tool-call':
      return { ...emptyToolUse(block), input: toInput(block.arguments) };
    default:
      return block satisfies never;
  }
}

/**
 * Without `citations`: there are none, and Anthropic leaves them out then. Clients that check answers against a schema
 * (Vercel's AI SDK) refuse a null there, although the types of Anthropic's SDK allow one.
 */
export const emptyBlocks = {
  text: { type: 'text', text: '' },
  reasoning: { type: 'thinking', thinking: '', signature: '' },
} as const satisfies Record<string, JsonObject>;

export function emptyToolUse({ id, name }: { readonly id: string; readonly name: string }): JsonObject {
  return { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } };
}

/** It proves nothing: a local model's thoughts need no protection. Thinking that was not shown travels in it. */
export function signatureFor(thinking: string, shown: boolean): string {
  return packReasoning(shown ? '' : thinking);
}

function toInput(text: string): JsonValue {
  if (text.trim() === '') return {};
  try {
    const input: unknown = JSON.parse(text);
    if (isJsonObject(input)) return input;
  } catch {
    // Cut off by max_tokens, or the model's slip: the client gets what there is.
  }
  return { [invalidJsonKey]: text };
}

export function stopFields({ reason, stopString }: FinishEvent): JsonObject {
  return { stop_reason: toStopReason(reason, stopString), stop_sequence: stopString ?? null, stop_details: null };
}

function toStopReason(reason: FinishEvent['reason'], stopString: string | undefined): string {
  if (stopString !== undefined) return 'stop_sequence';
  return (
    { stop: 'end_turn', length: 'max_tokens', 'tool-calls': 'tool_use' } as const satisfies Record<
      typeof reason,
      string
    >
  )[reason];
}

/**
 * The three input figures add up to the prompt. The prefix cache is the server's own and costs nobody anything, so no
 * token counts as written to it: what was not read from it is plain input.
 */
function startUsage(start: StartEvent): JsonObject {
  return {
    ...inputUsage(start),
    output_tokens: 0,
    output_tokens_details: null,
    cache_creation: null,
    server_tool_use: null,
    service_tier: null,
    inference_geo: null,
    speed: null,
  };
}

/** Cumulative, as in `message_delta`. */
export function finishUsage({ usage }: FinishEvent): JsonObject {
  return {
    ...inputUsage(usage),
    output_tokens: usage.outputTokens,
    output_tokens_details: { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  };
}

function inputUsage({ inputTokens, cachedTokens }: { readonly inputTokens: number; readonly cachedTokens: number }) {
  return {
    input_tokens: inputTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
  };
}
