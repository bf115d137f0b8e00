import type { Block, CallBlock, FinishEvent, GenerationResult, StartEvent, Usage } from '../../contract/events.ts';
import { turnsOf } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { PromptCount } from '../../contract/services.ts';
import type { AnswerContext } from '../dialect.ts';
import { packReasoning } from '../shared/hidden-reasoning.ts';
import { shownReason } from '../shared/server-tools.ts';
import { emptyMcpToolUse, mcpResultBlock, toInput } from './mcp-blocks.ts';
import type { MessagesCall } from './request.ts';

type RoundUsage = Omit<Usage, 'rounds'>;

export const idPrefix = 'msg_';

/** The whole answer, in the shape of the SDK's `Message`. */
export function wholeMessage(call: MessagesCall, answer: AnswerContext, result: GenerationResult): JsonObject {
  return {
    ...emptyMessage(answer, result.start),
    content: turnsOf(result).flatMap((turn) => turnContent(turn, call.showThinking)),
    ...stopFields(result.finish, callCounts(result.blocks)),
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

/** The blocks of a turn, then the results of its calls that the server ran. */
function turnContent(turn: readonly Block[], showThinking: boolean): JsonObject[] {
  const results = turn.flatMap((block) =>
    block.kind === 'tool-call' && block.result ? [mcpResultBlock(block.result, block.arguments)] : [],
  );
  return [...turn.map((block) => toContentBlock(block, showThinking)), ...results];
}

/** Calls of an answer: those that the client runs, and those that the server ran. */
export interface CallCounts {
  readonly client: number;
  readonly server: number;
}

function callCounts(blocks: readonly Block[]): CallCounts {
  const calls = blocks.filter((block) => block.kind === 'tool-call');
  const server = calls.filter((call) => call.server !== undefined).length;
  return { server, client: calls.length - server };
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
      return { ...emptyCall(block), input: toInput(block.arguments) };
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

export function emptyCall(call: Pick<CallBlock, 'id' | 'name' | 'server'>): JsonObject {
  if (call.server !== undefined) return emptyMcpToolUse(call);
  const { id, name } = call;
  return { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } };
}

/** It proves nothing: a local model's thoughts need no protection. Thinking that was not shown travels in it. */
export function signatureFor(thinking: string, shown: boolean): string {
  return packReasoning(shown ? '' : thinking);
}

export function stopFields({ reason, stopString, callLimit }: FinishEvent, calls: CallCounts): JsonObject {
  // The model was not done: sent back, the message goes on.
  const shown = calls.server > 0 ? shownReason(reason, calls.client) : reason;
  const stop = callLimit ? 'pause_turn' : toStopReason(shown, stopString);
  return { stop_reason: stop, stop_sequence: stopString ?? null, stop_details: null };
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
    // Of answers for which the server ran tools; the input above is then the last one's, the output that of all.
    ...(usage.rounds && { iterations: usage.rounds.map(iterationUsage) }),
  };
}

function iterationUsage(usage: RoundUsage): JsonObject {
  return {
    type: 'message',
    ...inputUsage(usage),
    output_tokens: usage.outputTokens,
    cache_creation: null,
    model: null,
  };
}

function inputUsage({ inputTokens, cachedTokens }: { readonly inputTokens: number; readonly cachedTokens: number }) {
  return {
    input_tokens: inputTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
  };
}

/** Anthropic's one member: its SDK's type has no others, and `/v1/chat/completions/input_tokens` tells more. */
export function countTokensAnswer({ inputTokens }: PromptCount): JsonObject {
  return { input_tokens: inputTokens };
}
