import Anthropic from '@anthropic-ai/sdk';
import type { BetaMessage, MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/beta/messages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startToolServers, type ToolServers } from './mcp-support.ts';
import { type ResponsesServer, startResponsesServer } from './responses-server.ts';

/** Anthropic's `mcp_servers`, through its own SDK, with a real server of tools. */
let house: ResponsesServer;
let tools: ToolServers;
let client: Anthropic;

beforeAll(async () => {
  tools = await startToolServers();
  const access = { apiKey: ['none'], toolsFor: 'keys' } as const;
  house = await startResponsesServer({ ctxSize: 4096, toolServers: tools.toolServers, ...access });
  client = new Anthropic({ apiKey: 'none', baseURL: 'http://localhost', maxRetries: 0, fetch: greedy });
}, 120_000);
afterAll(async () => {
  await house?.server.close();
  await tools?.close();
});

/** Every request takes the likeliest token. */
const greedy: typeof fetch = (url, init) => {
  const body = JSON.stringify({ temperature: 0, ...JSON.parse(String(init?.body)) });
  return house.server.fetch(new Request(url, { ...init, body }));
};

const messages: MessageCreateParamsNonStreaming['messages'] = [
  { role: 'user', content: 'What is the sum of 3 and 4? Use get-sum.' },
];
const server = (name: string, more: object = {}) => ({
  type: 'url' as const,
  name,
  url: 'http://127.0.0.1:1',
  ...more,
});
const newer = (name = 'local', more: object = {}): MessageCreateParamsNonStreaming => ({
  model: 'demo',
  max_tokens: 400,
  messages,
  betas: ['mcp-client-2025-11-20'],
  mcp_servers: [server(name)],
  tools: [
    {
      type: 'mcp_toolset',
      mcp_server_name: name,
      default_config: { enabled: false },
      configs: { 'get-sum': { enabled: true } },
    },
  ],
  tool_choice: { type: 'any', disable_parallel_tool_use: true },
  ...more,
});
const older = (name: string): MessageCreateParamsNonStreaming => ({
  ...newer(name),
  betas: ['mcp-client-2025-04-04'],
  mcp_servers: [server(name, { tool_configuration: { enabled: true, allowed_tools: ['get-sum'] } })],
  tools: [],
});

const typesOf = ({ content }: BetaMessage) => content.map(({ type }) => type);
const promptOf = ({ usage }: BetaMessage) => usage.input_tokens + (usage.cache_read_input_tokens ?? 0);
const whole = ['mcp_tool_use', 'mcp_tool_result', 'text'];

describe('mcp_servers of the Messages API', () => {
  it.each([
    ['local', newer],
    ['web', newer],
    ['local', older],
  ] as const)('run their tools inside one message: %s', async (name, body) => {
    const message = await client.beta.messages.create(body(name));
    expect(typesOf(message)).toEqual(whole);
    expect(message.content.slice(0, 2)).toMatchObject([
      { name: 'get-sum', server_name: name, input: { a: 3, b: 4 } },
      { is_error: false, content: [{ type: 'text', text: 'The sum of 3 and 4 is 7.' }] },
    ]);
    expect(message.stop_reason).toBe('end_turn');
    const streamed = await client.beta.messages.stream(body(name)).finalMessage();
    expect(typesOf(streamed)).toEqual(whole);
    expect(streamed.content.at(-1)).toEqual(message.content.at(-1));
    expect(streamed.content[0]).toMatchObject({ input: { a: 3, b: 4 } });
  });

  it('come back in history as they were read, token for token', async () => {
    const message = await client.beta.messages.create(newer());
    const next = await client.beta.messages.create(
      newer('local', {
        tool_choice: { type: 'auto' },
        messages: [...messages, { role: 'assistant', content: message.content }, { role: 'user', content: 'Thanks!' }],
      }),
    );
    // Question, call and result; behind them the template writes the answer without its empty thought.
    expect(next.usage.cache_read_input_tokens).toBeGreaterThanOrEqual(promptOf(message) - 6);
  });

  it('pause at the limit for calls, and go on when the message is sent back', async () => {
    const limited = { max_tool_calls_per_message: 1 };
    const paused = await client.beta.messages.create(newer('local', limited));
    expect([typesOf(paused), paused.stop_reason]).toEqual([['mcp_tool_use', 'mcp_tool_result'], 'pause_turn']);
    const back = [...messages, { role: 'assistant', content: paused.content }];
    const rest = await client.beta.messages.create(newer('local', { tool_choice: { type: 'auto' }, messages: back }));
    const inOne = await client.beta.messages.create(newer());
    expect(rest.content).toEqual(inOne.content.slice(2));
    expect(promptOf(rest)).toBe(promptOf(inOne));
    // Question, call and result were read: what is new is where the answer begins.
    expect(rest.usage.input_tokens).toBeLessThanOrEqual(8);
  });

  it('are counted as they are read', async () => {
    const { max_tokens: _, stream: __, ...body } = newer();
    const { input_tokens } = await client.beta.messages.countTokens(body);
    const message = await client.beta.messages.create(newer());
    const [first] = message.usage.iterations ?? [];
    expect(first?.type === 'message' && first.input_tokens + first.cache_read_input_tokens).toBe(input_tokens);
  });

  it('are refused where they are not there', async () => {
    await expect(client.beta.messages.create(newer('mail'))).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('There are: local, web'),
    });
  });
});

/** Routes that count, and the answer that they count for. */
describe('counts of prompts with tools of the server', () => {
  const post = async (path: string, body: object) => {
    const response = await greedy(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    expect([response.status, answer]).toEqual([200, expect.anything()]);
    return answer as { input_tokens: number; tokens: number[]; usage: { rounds: { [name: string]: number }[] } };
  };
  const plain = { messages, max_tokens: 300 };

  it('are what chats read', async () => {
    const chat = { ...plain, enable_tools: true, enabled_tools: ['local__get-sum'], tool_choice: 'required' };
    const { usage } = await post('/v1/chat/completions', chat);
    const counted = await post('/v1/chat/completions/input_tokens', chat);
    const tokenized = await post('/tokenize', chat);
    const [first] = usage.rounds;
    expect([counted.input_tokens, tokenized.tokens.length]).toEqual([first?.prompt_tokens, first?.prompt_tokens]);
    expect((await post('/v1/chat/completions/input_tokens', plain)).input_tokens).toBeLessThan(counted.input_tokens);
  });

  it('are what responses read', async () => {
    const tool = { type: 'mcp', server_label: 'local', allowed_tools: ['get-sum'], require_approval: 'never' };
    const body = { input: messages, tools: [tool], tool_choice: 'required', max_output_tokens: 300 };
    const { usage } = await post('/v1/responses', body);
    const { input_tokens } = await post('/v1/responses/input_tokens', body);
    expect(input_tokens).toBe(usage.rounds[0]?.input_tokens);
  });
});
