import type { Block, CallBlock, GenerationResult } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, EndedAnswer } from '../dialect.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { openaiFinishReason, openaiTimings, openaiUsage } from '../shared/openai-usage.ts';
import { serverToolOf, shownReason } from '../shared/server-tools.ts';
import { chatLogprobs } from './logprobs.ts';
import type { ChatCall } from './request.ts';

export const idPrefix = 'chatcmpl-';

/** A `chat.completion` object. */
export function wholeChat(call: ChatCall, answer: AnswerContext, results: readonly GenerationResult[]): JsonObject {
  const finishes = results.map(({ finish }) => finish);
  return {
    id: idPrefix + answer.id,
    object: 'chat.completion',
    created: answer.created,
    model: answer.model,
    choices: results.map((result, index) => choice(call, result, index)),
    usage: openaiUsage(finishes),
    timings: openaiTimings(finishes),
    ...(finishes.some(({ cancelled }) => cancelled) && { cancelled: true }),
  };
}

/**
 * The answer as a chat keeps it: the message of the whole answer, and beside it what else a page shows of it. Log
 * probabilities are left out where they make it too large.
 */
export function chatMessages(
  call: ChatCall,
  answer: AnswerContext,
  { blocks, finish, error }: EndedAnswer,
): readonly JsonObject[] {
  const plain: JsonObject = {
    ...message(blocks),
    id: idPrefix + answer.id,
    model: answer.model,
    created: answer.created,
    ...(finish && {
      finish_reason: openaiFinishReason(finish.reason),
      seed: finish.seed,
      usage: openaiUsage([finish]),
      timings: openaiTimings([finish]),
      ...(finish.cancelled && { cancelled: true }),
    }),
    ...(error && { error: openaiErrorObject(error) }),
  };
  return call.generations[0]?.logprobs ? [{ ...plain, logprobs: logprobs(blocks) }, plain] : [plain];
}

function choice(call: ChatCall, result: GenerationResult, index: number): JsonObject {
  return {
    index,
    message: message(result.blocks),
    logprobs: call.generations[index]?.logprobs ? logprobs(result.blocks) : null,
    finish_reason: openaiFinishReason(shownReason(result.finish.reason, clientCalls(result.blocks).length)),
    seed: result.finish.seed,
  };
}

/**
 * `content` is null only beside tool calls, as in OpenAI's answers; the thinking comes under both of its names, because
 * one half of the clients reads the one and the other half the other.
 */
function message(blocks: readonly Block[]): JsonObject {
  const content = textOf(blocks, 'text');
  const reasoning = textOf(blocks, 'reasoning');
  const called = blocks.filter((block) => block.kind === 'tool-call');
  // Those that the server runs are none of the client's, which would run them again.
  const calls = clientCalls(blocks).map(toolCall);
  const serverTools = called.filter(({ server }) => server !== undefined).map(serverToolOf);
  return {
    role: 'assistant',
    content: content ?? (calls.length > 0 ? null : ''),
    refusal: null,
    ...(reasoning !== undefined && { reasoning, reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(serverTools.length > 0 && { server_tools: serverTools }),
  };
}

function textOf(blocks: readonly Block[], kind: 'text' | 'reasoning'): string | undefined {
  const texts = blocks.flatMap((block) => (block.kind === kind ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join('');
}

function clientCalls(blocks: readonly Block[]): CallBlock[] {
  return blocks.filter((block) => block.kind === 'tool-call').filter(({ server }) => server === undefined);
}

function toolCall(block: CallBlock): JsonObject {
  return { id: block.id, type: 'function', function: { name: block.name, arguments: block.arguments } };
}

function logprobs(blocks: readonly Block[]): JsonObject {
  return chatLogprobs(blocks.flatMap((block) => (block.kind === 'text' ? block.logprobs : [])));
}
