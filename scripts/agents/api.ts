import { at, isJson, type Json, objects } from './json.ts';

/** What an agent is made to do, since the weights are random: some calls of one tool, then a sentence. */
export interface Script {
  readonly tool: string;
  /** Exactly these arguments. */
  readonly arguments: Readonly<Record<string, string>>;
  readonly calls: number;
  readonly closing: string;
}

/** Tokens of a prompt, and how many of them were read already. */
export interface PromptUsage {
  readonly prompt: number;
  readonly cached: number;
}

/** What differs between the APIs that agents speak. */
export interface Api {
  readonly path: string;
  /** How many of its calls the conversation has answers to. */
  results(body: Json): number;
  nameOf(tool: Json): unknown;
  /** The tool with other parameters, which calls of it have to follow. */
  withParameters(tool: Json, parameters: Json): Json;
  /** The model cannot but call the tool, once and without a thought. */
  forced(tool: string): Json;
  /** The model cannot but say the sentence. */
  closed(sentence: string): Json;
  /** Of an object in a stream, undefined where it tells none. */
  usage(event: Json): PromptUsage | undefined;
}

export const responses: Api = {
  path: '/v1/responses',
  results: ({ input }) => objects(input).filter(({ type }) => type === 'function_call_output').length,
  nameOf: ({ name }) => name,
  withParameters: (tool, parameters) => ({ ...tool, parameters, strict: true }),
  forced: (name) => ({ tool_choice: { type: 'function', name }, reasoning: { effort: 'none' } }),
  closed: (sentence) => ({
    tool_choice: 'none',
    reasoning: { effort: 'none' },
    text: { format: { type: 'json_schema', name: 'closing', schema: { const: sentence } } },
  }),
  usage: (event) =>
    counted(
      at(event, 'response', 'usage', 'input_tokens'),
      at(event, 'response', 'usage', 'input_tokens_details', 'cached_tokens'),
    ),
};

export const messages: Api = {
  path: '/v1/messages',
  results: (body) =>
    objects(body.messages)
      .flatMap(({ content }) => objects(content))
      .filter(({ type }) => type === 'tool_result').length,
  nameOf: ({ name }) => name,
  withParameters: (tool, parameters) => ({ ...tool, input_schema: parameters, strict: true }),
  forced: (name) => ({
    tool_choice: { type: 'tool', name, disable_parallel_tool_use: true },
    thinking: { type: 'disabled' },
  }),
  closed: (sentence) => ({ tool_choice: { type: 'none' }, thinking: { type: 'disabled' }, grammar: literal(sentence) }),
  usage: ({ type, message }) => {
    if (type !== 'message_start') return undefined;
    const [read, cached] = [at(message, 'usage', 'input_tokens'), at(message, 'usage', 'cache_read_input_tokens')];
    return typeof read === 'number' && typeof cached === 'number' ? { prompt: read + cached, cached } : undefined;
  },
};

export const chat: Api = {
  path: '/v1/chat/completions',
  results: (body) => objects(body.messages).filter(({ role }) => role === 'tool').length,
  nameOf: (tool) => at(tool, 'function', 'name'),
  withParameters: (tool, parameters) => ({
    ...tool,
    function: { ...(isJson(tool.function) ? tool.function : {}), parameters, strict: true },
  }),
  forced: (name) => ({ tool_choice: { type: 'function', function: { name } }, reasoning_effort: 'none' }),
  closed: (sentence) => ({ tool_choice: 'none', reasoning_effort: 'none', grammar: literal(sentence) }),
  usage: ({ usage }) => counted(at(usage, 'prompt_tokens'), at(usage, 'prompt_tokens_details', 'cached_tokens')),
};

export const apis: readonly Api[] = [responses, messages, chat];

/** No word of a sentence of ours has to be escaped. */
function literal(sentence: string): string {
  return `root ::= ${JSON.stringify(sentence)}`;
}

function counted(prompt: unknown, cached: unknown): PromptUsage | undefined {
  return typeof prompt === 'number' && typeof cached === 'number' ? { prompt, cached } : undefined;
}
