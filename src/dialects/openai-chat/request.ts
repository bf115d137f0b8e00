import { z } from 'zod';
import type { ChatPlace } from '../../contract/chats.ts';
import { ServeError } from '../../contract/errors.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { ChatPrompt, GenerationRequest, Message, Reasoning } from '../../contract/request.ts';
import { chatPlace } from '../chats/requests.ts';
import type { ParsedCall } from '../dialect.ts';
import { defined } from '../shared/defined.ts';
import { ignoredSamplers } from '../shared/ignored-samplers.ts';
import { imageOf, withImage } from '../shared/images.ts';
import { openaiParallelCalls } from '../shared/parallel-calls.ts';
import { progressField, wantsProgress } from '../shared/progress.ts';
import {
  extensionFields,
  forChoice,
  grammarFields,
  maxTokensOrNoneField,
  reasoningFields,
  samplingFields,
  stopField,
  toReasoning,
  toRequestOptions,
} from '../shared/sampling.ts';
import { readServerTools } from '../shared/server-tools.ts';
import { optional, validate } from '../shared/validate.ts';
import { takeVendorValue, type VendorValue, warnOfUnknownEffort } from '../shared/vendor-values.ts';
import { message, messagesField, toMessages } from './messages.ts';
import { responseFormatField, toOutputShape } from './response-format.ts';
import {
  checkToolChoice,
  toOpenToolChoice,
  tool,
  toolChoiceField,
  toolsField,
  toToolChoice,
  toTools,
} from './tools.ts';
import { refuseUnsupported } from './unsupported.ts';

export interface ChatCall extends ParsedCall {
  readonly includeUsage: boolean;
}

const maxChoices = 8;

/**
 * Every field of OpenAI's chat completions request that this server acts on, and its extensions. Unknown fields are
 * ignored; known ones that it cannot do are in unsupported.ts. Ignored because they change nothing here: metadata,
 * store, safety_identifier, prompt_cache_options, prediction, stream_options.include_obfuscation; and, but for a warning
 * where their word is unknown, service_tier, prompt_cache_retention, verbosity.
 */
const chatBody = z.object({
  ...samplingFields,
  ...extensionFields,
  ...reasoningFields,
  ...grammarFields,
  ...progressField,
  model: optional(z.string().max(1000)),
  messages: messagesField,
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  max_tokens: maxTokensOrNoneField,
  max_completion_tokens: maxTokensOrNoneField,
  stop: stopField,
  n: optional(z.int().min(1).max(maxChoices)),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.int().min(0).max(20)),
  tools: toolsField,
  tool_choice: toolChoiceField,
  parallel_tool_calls: optional(z.boolean()),
  response_format: responseFormatField,
  reasoning_effort: optional(z.string().max(64)),
  /** OpenRouter's way to say it. */
  reasoning: optional(
    z.object({
      effort: optional(z.string().max(64)),
      max_tokens: optional(z.int().min(-1)),
      enabled: optional(z.boolean()),
    }),
  ),
  /** Anthropic's and DeepSeek's way to say it. */
  thinking: optional(
    z.object({
      type: optional(z.string()),
      budget_tokens: optional(z.int().min(-1)),
    }),
  ),
  verbosity: optional(z.string()),
  service_tier: optional(z.string()),
  prompt_cache_retention: optional(z.string()),
  documents: optional(z.array(z.json()).max(4096)),
  /** Unsloth Studio's: an image for the last message of the user. */
  image_base64: optional(z.string()),
  continue_final_message: optional(z.boolean()),
  auto_heal_tool_calls: optional(z.boolean()),
  user: optional(z.string()),
  prompt_cache_key: optional(z.string()),
  /** Of a resumable stream: where its answer is kept when it is over. */
  chat: optional(chatPlace),
});

/** The same with what the lists hold, which is checked entry by entry: for documentation. */
export const describedChatBody = chatBody.extend({ messages: z.array(message).min(1), tools: optional(z.array(tool)) });

type Body = z.output<typeof chatBody>;
type Warn = (warning: string) => void;

export function parseChat(wire: unknown): ChatCall {
  const body = validate(chatBody, wire);
  const raw = isJsonObject(wire) ? wire : {};
  refuseUnsupported(raw);
  refuseLoneTopLogprobs(body);
  const warnings = new Set(ignoredSamplers(raw));
  const mayHaveMore = raw.enable_tools === true;
  const request = toRequest(body, { mayHaveMore, warn: (warning) => warnings.add(warning) });
  return {
    generations: Array.from({ length: body.n ?? 1 }, (_, choice) => forChoice(request, choice)),
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    warnings: [...warnings],
    ...defined({ chat: toChatPlace(body, request) }),
    serverTools: (setup) => {
      const wish = setup ? readServerTools(wire) : undefined;
      const { prompt } = request;
      if ((wish === undefined || wish === 'off') && prompt.type === 'chat')
        checkToolChoice(prompt.toolChoice, prompt.tools);
      return wish;
    },
  };
}

/** One answer, whole, of a run that ends by itself: what else there is would be kept in part, or twice. */
function toChatPlace({ chat, n, resumable }: Body, { prompt }: GenerationRequest): ChatPlace | undefined {
  if (chat === undefined) return undefined;
  const refuse = (sentence: string) => new ServeError('invalid_request', sentence, { param: 'chat' });
  if (!resumable)
    throw refuse('`chat` keeps the answer of a run that outlives its reader. Send `resumable`: true with it.');
  if ((n ?? 1) > 1) throw refuse('`chat` keeps one answer, so `n` must be 1. Ask for each with an entry of its own.');
  const continues =
    prompt.type === 'chat' && prompt.continueFinalMessage && prompt.messages.at(-1)?.role === 'assistant';
  if (continues)
    throw refuse('`chat` keeps whole answers, and the rest of the last message is none. Keep it yourself.');
  return { chatId: chat.chat_id, entryId: chat.entry_id, parent: chat.parent };
}

interface Reading {
  /** The server may add tools of its own to the request's. */
  readonly mayHaveMore: boolean;
  readonly warn: Warn;
}

function toRequest(body: Body, reading: Reading): GenerationRequest {
  takeVendorValue('chatVerbosity', body.verbosity, reading.warn);
  takeVendorValue('serviceTier', body.service_tier, reading.warn);
  takeVendorValue('promptCacheRetention', body.prompt_cache_retention, reading.warn);
  return defined({
    ...toRequestOptions(body, { user: body.user, cacheKey: body.prompt_cache_key }),
    model: body.model || undefined,
    prompt: toPrompt(body, reading),
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? -1,
    stop: body.stop,
    outputShape: toOutputShape(body),
    logprobs: body.logprobs ? { top: body.top_logprobs ?? 0 } : undefined,
    progress: wantsProgress(body),
  });
}

function toPrompt(body: Body, { mayHaveMore, warn }: Reading): ChatPrompt {
  const tools = toTools(body.tools);
  const toolChoice = mayHaveMore ? toOpenToolChoice(body.tool_choice) : toToolChoice(body.tool_choice, tools);
  const written = toMessages(body.messages);
  const messages = body.image_base64 ? withImage(written, imageOf(body.image_base64, 'image_base64')) : written;
  if (body.continue_final_message === true) refuseNothingToContinue(messages);
  return defined({
    type: 'chat' as const,
    messages,
    tools,
    toolChoice,
    parallelToolCalls: openaiParallelCalls(toolChoice, body.parallel_tool_calls),
    reasoning: readReasoning(body, warn),
    templateVariables: body.chat_template_kwargs ?? {},
    documents: body.documents,
    continueFinalMessage: body.continue_final_message ?? true,
    autoHealToolCalls: body.auto_heal_tool_calls,
  });
}

/** All spellings of the same wish; the ones of this API win over the guests'. */
function readReasoning(body: Body, warn: Warn): Reasoning {
  const type = takeVendorValue('chatThinkingType', body.thinking?.type, warn);
  const guests = defined({
    enabled: body.reasoning?.enabled ?? thinkingSwitch(type),
    budget: body.reasoning?.max_tokens ?? body.thinking?.budget_tokens,
  });
  const effort = body.reasoning_effort ?? body.reasoning?.effort;
  warnOfUnknownEffort('reasoning_effort', effort, warn);
  return { ...guests, ...toReasoning(body, effort) };
}

/** `adaptive` and `auto` leave it to the model, as if nothing had been said. */
function thinkingSwitch(type: VendorValue<'chatThinkingType'> | undefined): boolean | undefined {
  if (type === 'enabled') return true;
  return type === 'disabled' ? false : undefined;
}

/** Asked for by name, it must not silently become a new message. */
function refuseNothingToContinue(messages: readonly Message[]): void {
  const last = messages.at(-1);
  if (last?.role === 'assistant' && !last.toolCalls) return;
  const what = last?.role === 'assistant' ? 'has tool calls, which are complete' : `is one of the role "${last?.role}"`;
  throw new ServeError(
    'invalid_request',
    `\`continue_final_message\` is true, but the last message ${what}. Put the beginning of the answer behind it as an assistant message, or leave the field out.`,
    { param: 'continue_final_message' },
  );
}

function refuseLoneTopLogprobs(body: Body): void {
  if (body.top_logprobs === undefined || body.top_logprobs === 0 || body.logprobs) return;
  throw new ServeError('invalid_request', '`top_logprobs` needs `logprobs: true` beside it.', {
    param: 'top_logprobs',
  });
}
