import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import { type GenerationRequest, type Message, type OutputShape, requestDefaults } from '../../contract/request.ts';
import type { ParsedCall } from '../dialect.ts';
import { defined } from '../shared/defined.ts';
import { ignoredSamplers } from '../shared/ignored-samplers.ts';
import { openaiParallelCalls } from '../shared/parallel-calls.ts';
import { toReasoning, toRequestOptions } from '../shared/sampling.ts';
import { validate } from '../shared/validate.ts';
import { takeVendorValue, warnOfUnknownEffort, warnOfUnknownIncludes } from '../shared/vendor-values.ts';
import { type ResponsesBody, responsesBody, type TextFormat } from './body.ts';
import { type InputItem, inputItem, userItem } from './items.ts';
import { Conversation } from './messages.ts';
import { type ResponseSettings, toSettings } from './settings.ts';
import { chosenNames, toToolChoice } from './tool-choice.ts';
import type { ToolDirectory } from './tool-directory.ts';
import { ToolCollector, type ToolSet } from './tools.ts';
import { toWish } from './wish.ts';

type Warn = (warning: string) => void;

export interface ResponsesCall extends ParsedCall {
  readonly settings: ResponseSettings;
  readonly directory: ToolDirectory;
  /** The request's own items as the client sent them, without those of a previous response. */
  readonly input: readonly JsonObject[];
  readonly show: Shown;
}

/** What the client wants to see of the answer. */
export interface Shown {
  /** Reasoning as `summary_text` parts; else as `reasoning_text`. */
  readonly reasoningSummary: boolean;
  readonly encryptedReasoning: boolean;
  readonly logprobs: boolean;
}

export interface ParseOptions {
  /** Items of the previous responses, oldest first, when there is a store that has them. */
  readonly history?: readonly JsonObject[];
  /** Whether answers can be kept: without a store, fields that need one are refused with the flag's name. */
  readonly store?: boolean;
  /** Whether the server runs tools: without, `mcp` tools and their items are unknown ones. */
  readonly withTools?: boolean;
}

export function parseResponses(body: unknown, options: ParseOptions = {}): ResponsesCall {
  const warnings = new Set<string>();
  const warn: Warn = (warning) => void warnings.add(warning);
  const request = withKnownValues(validate(responsesBody, body), warn);
  refuseWhatNeedsServerState(request, options);
  const items = inputItems(request);
  const all = [...toHistory(options.history), ...items.map((item, index) => ({ item, at: ['input', index] }))];
  const { withTools = false } = options;
  const toolSet = collectTools(request, all, { warn, withTools });
  const toolChoice = toToolChoice(request.tool_choice, toolSet, warn);
  const conversation = toConversation(request, all, { warn, withTools });
  const generation: GenerationRequest = {
    ...requestDefaults,
    ...toRequestOptions(request, {
      user: request.user ?? request.safety_identifier,
      cacheKey: request.prompt_cache_key,
    }),
    ...defined({
      model: request.model,
      overflow: request.truncation === 'auto' ? ('drop-oldest' as const) : undefined,
    }),
    prompt: {
      type: 'chat',
      messages: toMessages(conversation),
      tools: toolSet.tools,
      toolChoice,
      reasoning: toReasoning(request, request.reasoning?.effort),
      templateVariables: request.chat_template_kwargs ?? {},
      continueFinalMessage: true,
      ...defined({ parallelToolCalls: openaiParallelCalls(toolChoice, request.parallel_tool_calls) }),
    },
    maxTokens: request.max_output_tokens ?? -1,
    outputShape: toOutputShape(request.text?.format),
    ...logprobsOf(request),
  };
  return {
    generations: [generation],
    stream: request.stream ?? false,
    warnings: [...warnings, ...(isJsonObject(body) ? ignoredSamplers(body) : [])],
    settings: toSettings(request, body, { canStore: options.store ?? false, withTools }),
    ...(withTools && { serverTools: (setup) => setup && toWish({ request, body, toolSet, conversation }, setup) }),
    directory: toolSet.directory,
    input: items.map((item) => item.raw),
    show: {
      reasoningSummary: request.reasoning?.summary !== undefined,
      encryptedReasoning: request.include?.includes('reasoning.encrypted_content') ?? false,
      logprobs: generation.logprobs !== undefined,
    },
  };
}

function withKnownValues(request: ResponsesBody, warn: Warn): ResponsesBody {
  const { truncation, reasoning, text, include } = request;
  warnOfUnknownIncludes(include, warn);
  takeVendorValue('serviceTier', request.service_tier, warn);
  warnOfUnknownEffort('reasoning.effort', reasoning?.effort, warn);
  takeVendorValue('promptCacheRetention', request.prompt_cache_retention, warn);
  const summary = takeVendorValue('summary', reasoning?.summary ?? reasoning?.generate_summary, warn);
  return {
    ...request,
    truncation: takeVendorValue('truncation', truncation, warn),
    reasoning: reasoning && { ...reasoning, summary: summary === 'none' ? undefined : summary },
    text: text && { ...text, verbosity: takeVendorValue('verbosity', text.verbosity, warn) },
  };
}

function inputItems(request: ResponsesBody): InputItem[] {
  if (request.input === undefined && request.instructions === undefined && request.previous_response_id === undefined)
    throw new ServeError('invalid_request', '`input` is missing: it must be a string or a list of items.', {
      param: 'input',
    });
  return listOf(request.input);
}

function listOf(input: ResponsesBody['input']): InputItem[] {
  if (input === undefined) return [];
  if (typeof input === 'string') return [userItem(input)];
  return Array.isArray(input) ? input : [input];
}

/** An item and where the client finds it. */
interface PlacedItem {
  readonly item: InputItem;
  readonly at: readonly PropertyKey[];
}

function toHistory(history: readonly JsonObject[] = []): PlacedItem[] {
  const at = ['previous_response_id'];
  return history.map((raw) => ({ item: validate(inputItem, raw, at), at }));
}

interface Reading {
  readonly warn: Warn;
  readonly withTools: boolean;
}

/** Instructions stand before everything else and replace nothing: the items' own system messages stay. */
function toConversation(
  request: ResponsesBody,
  items: readonly PlacedItem[],
  { warn, withTools }: Reading,
): Conversation {
  const conversation = new Conversation(warn, withTools);
  for (const { item, at } of [...toInstructions(request), ...items]) conversation.add(item, at);
  return conversation;
}

function toMessages(conversation: Conversation): readonly Message[] {
  const messages = conversation.messages();
  // Clients ask with empty input to see whether the server is there; templates want a turn to answer.
  const hasTurn = messages.some((message) => message.role !== 'system' && message.role !== 'developer');
  return hasTurn ? messages : [...messages, { role: 'user', content: '' }];
}

function toInstructions({ instructions }: ResponsesBody): PlacedItem[] {
  if (instructions === undefined || instructions === '') return [];
  if (typeof instructions === 'string')
    return [{ item: { ...userItem(instructions), role: 'system' }, at: ['instructions'] }];
  return instructions.map((item, index) => ({ item, at: ['instructions', index] }));
}

function collectTools(request: ResponsesBody, items: readonly PlacedItem[], { warn, withTools }: Reading): ToolSet {
  const tools = new ToolCollector(warn, withTools);
  tools.addOffered(request.tools ?? [], ['tools'], chosenNames(request.tool_choice));
  for (const { item, at } of items)
    if (item.kind === 'more-tools' || item.kind === 'search-output') tools.addAll(item.tools, [...at, 'tools']);
  return tools.result();
}

function toOutputShape(format: TextFormat | undefined): OutputShape {
  switch (format?.type) {
    case undefined:
    case 'text':
      return { type: 'text' };
    case 'json_object':
      return { type: 'json' };
    case 'json_schema':
      return { type: 'json-schema', schema: format.schema, ...defined({ name: format.name, strict: format.strict }) };
    default:
      return format satisfies never;
  }
}

function logprobsOf(request: ResponsesBody): Pick<GenerationRequest, 'logprobs'> {
  const top = request.top_logprobs ?? 0;
  const asked = top > 0 || request.include?.includes('message.output_text.logprobs') === true;
  return asked ? { logprobs: { top } } : {};
}

function refuseWhatNeedsServerState(request: ResponsesBody, options: ParseOptions): void {
  const flag = 'Start the server with --response-store memory (or a folder) to keep responses';
  if (request.previous_response_id !== undefined && options.history === undefined)
    throw new ServeError(
      'invalid_request',
      `\`previous_response_id\` is ${JSON.stringify(request.previous_response_id)}, but this server keeps no responses. ${flag}, or send the whole conversation as \`input\`.`,
      { param: 'previous_response_id' },
    );
  if (request.background === true && options.store !== true)
    throw new ServeError(
      'invalid_request',
      `\`background\` is true, but this server keeps no responses. ${flag}, or leave \`background\` out.`,
      { param: 'background' },
    );
  if (request.background === true && request.store === false)
    throw new ServeError('invalid_request', '`background` needs the response to be kept: leave `store`: false out.', {
      param: 'store',
    });
  for (const param of ['conversation', 'prompt'] as const)
    if (request[param] !== undefined && request[param] !== null)
      throw new ServeError(
        'unsupported_parameter',
        `\`${param}\` names something that is kept on OpenAI's servers. Send its content as \`input\` and \`instructions\`.`,
        { param },
      );
}
