import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** The official client against the whole server and a real model. Greedy throughout, so answers are known. */
let server: RunningServer;
let client: Anthropic;

beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '2048', '--parallel', '2']);
  client = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
});

afterAll(() => server?.close());

const base = { model: 'demo', max_tokens: 200, temperature: 0 } as const;
const user = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam => ({ role: 'user', content });
const assistant = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam => ({
  role: 'assistant',
  content,
});
const thinking = { type: 'enabled', budget_tokens: 1024 } as const;
const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Get the current weather for a city',
  input_schema: {
    type: 'object',
    properties: { city: { type: 'string', description: 'City name' } },
    required: ['city'],
  },
};

function promptTokens({ usage }: Anthropic.Message): number {
  return usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
}

const shown = ({ content }: Anthropic.Message) =>
  content.map((block) => {
    if (block.type === 'text') return block.text;
    if (block.type === 'thinking') return { thinking: block.thinking };
    return block.type === 'tool_use' ? { name: block.name, input: block.input } : block.type;
  });

describe('messages.create', () => {
  it('answers without thinking unless thinking was asked for', async () => {
    const message = await client.messages.create({ ...base, messages: [user('What is the capital of Italy?')] });
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'serve-model-demo',
      content: [{ type: 'text', text: 'The capital of Italy is Rome.' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
    });
    expect(message.id).toMatch(/^msg_/);
    expect(message._request_id).toMatch(/^req_/);
  });

  it('thinks before it answers when asked to', async () => {
    const message = await client.messages.create({
      ...base,
      thinking: { type: 'adaptive' },
      messages: [user('What is the capital of France?')],
    });
    expect(shown(message)).toEqual([
      { thinking: expect.stringContaining('capital of France') },
      'The capital of France is Paris.',
    ]);
    expect(message.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
  });

  it('says which stop sequence ended it, and when the tokens ran out', async () => {
    const messages = [user('What is the capital of Italy?')];
    expect(await client.messages.create({ ...base, messages, stop_sequences: [' is'] })).toMatchObject({
      content: [{ text: 'The capital of Italy' }],
      stop_reason: 'stop_sequence',
      stop_sequence: ' is',
    });
    expect(await client.messages.create({ ...base, messages, max_tokens: 2 })).toMatchObject({
      stop_reason: 'max_tokens',
      usage: { output_tokens: 2 },
    });
  });

  it('continues an answer that the client began', async () => {
    const message = await client.messages.create({
      ...base,
      messages: [user('What is the capital of Italy?'), assistant('The capital of')],
    });
    expect(shown(message)).toEqual([' Italy is Rome.']);
  });

  it('answers in the form of a schema', async () => {
    const schema = {
      type: 'object',
      // The bundled model is not made for this: left alone it goes on.
      properties: { city: { type: 'string', maxLength: 20 } },
      required: ['city'],
      additionalProperties: false,
    };
    const message = await client.messages.create({
      ...base,
      messages: [user('What is the capital of Italy?')],
      output_config: { format: { type: 'json_schema', schema } },
    });
    expect(JSON.parse(String(shown(message)[0]))).toEqual({ city: expect.any(String) });
  });
});

describe('messages.stream', () => {
  it('collects to the same message as create', async () => {
    const params = { ...base, thinking, messages: [user('What is the capital of France?')] };
    const streamed = await client.messages.stream(params).finalMessage();
    const whole = await client.messages.create(params);
    expect(streamed.content).toEqual(whole.content);
    expect([streamed.stop_reason, promptTokens(streamed)]).toEqual([whole.stop_reason, promptTokens(whole)]);
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
  });

  it('ends when the client aborts it, and the server goes on', async () => {
    const stream = client.messages.stream({ ...base, max_tokens: 1500, messages: [user('Write a long story.')] });
    let texts = 0;
    stream.on('text', () => {
      texts += 1;
      if (texts === 3) stream.abort();
    });
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
    // What came in one piece with the third is still told.
    expect(texts).toBeGreaterThanOrEqual(3);
    expect(texts).toBeLessThan(50);
    const message = await client.messages.create({ ...base, messages: [user('What is the capital of Italy?')] });
    expect(shown(message)).toEqual(['The capital of Italy is Rome.']);
  });
});

describe('a tool loop', () => {
  it('calls in parallel, takes the results and answers, the thinking sent back', async () => {
    const params = { ...base, thinking, tools: [weather] };
    const question = user('What is the weather in Paris and London?');
    const asked = await client.messages.stream({ ...params, messages: [question] }).finalMessage();
    expect(asked.stop_reason).toBe('tool_use');
    expect(shown(asked)).toEqual([
      { thinking: expect.any(String) },
      { name: 'get_weather', input: { city: 'Paris' } },
      { name: 'get_weather', input: { city: 'London' } },
    ]);
    const answers: Record<string, string> = {
      Paris: '{"temperature": 18, "condition": "sunny"}',
      London: '{"temperature": 11, "condition": "rainy"}',
    };
    const results = asked.content.flatMap((block): Anthropic.ToolResultBlockParam[] => {
      if (block.type !== 'tool_use') return [];
      const city = String(Reflect.get(Object(block.input), 'city'));
      return [{ type: 'tool_result', tool_use_id: block.id, content: answers[city] ?? '' }];
    });
    const messages = [question, assistant(asked.content), user(results)];
    const told = await client.messages.create({ ...params, messages });
    expect(told.stop_reason).toBe('end_turn');
    expect(shown(told).at(-1)).toBe('It is 18 degrees and sunny in Paris. It is 11 degrees and rainy in London.');

    const withoutThought = asked.content.filter((block) => block.type !== 'thinking');
    const shorter = await client.messages.countTokens({
      model: 'demo',
      thinking,
      tools: [weather],
      messages: [question, assistant(withoutThought), user(results)],
    });
    expect(shorter.input_tokens, 'the thought that was sent back is in the prompt').toBeLessThan(promptTokens(told));
  });

  it('calls the tool that must be called', async () => {
    const message = await client.messages.create({
      ...base,
      tools: [weather],
      tool_choice: { type: 'tool', name: 'get_weather' },
      messages: [user('What is the weather in Paris and London?')],
    });
    expect(message.stop_reason).toBe('tool_use');
    expect(shown(message)).toContainEqual({ name: 'get_weather', input: { city: expect.any(String) } });
  });

  it('makes one call at most when parallel calls are switched off', async () => {
    const message = await client.messages.create({
      ...base,
      tools: [weather],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      messages: [user('What is the weather in Paris and London?')],
    });
    expect(shown(message)).toEqual([{ name: 'get_weather', input: { city: 'Paris' } }]);
  });
});

it('count_tokens says exactly what the call takes', async () => {
  const bodies: Omit<Anthropic.MessageCreateParamsNonStreaming, 'max_tokens'>[] = [
    { model: 'demo', messages: [user('Hello!')] },
    { model: 'demo', thinking, messages: [user('Hello!')] },
    { model: 'demo', system: [{ type: 'text', text: 'Be brief.' }], tools: [weather], messages: [user('Hello!')] },
    {
      model: 'demo',
      thinking,
      tools: [weather],
      messages: [
        user('What is the weather in Rome?'),
        assistant([
          { type: 'thinking', thinking: 'I look.', signature: '' },
          { type: 'tool_use', id: 'a', name: 'get_weather', input: { city: 'Rome' } },
        ]),
        user([{ type: 'tool_result', tool_use_id: 'a', content: 'timeout', is_error: true }]),
      ],
    },
  ];
  for (const body of bodies) {
    const counted = await client.messages.countTokens(body);
    const message = await client.messages.create({ ...body, max_tokens: 1 });
    expect(counted.input_tokens).toBe(promptTokens(message));
  }
});

it('a tool that waits to be found takes no room in the prompt', async () => {
  const body = { model: 'demo', messages: [user('Hello!')] };
  const { input_tokens } = await client.messages.countTokens({ ...body, tools: [weather] });
  const late = { ...weather, name: 'later', defer_loading: true };
  expect(await client.messages.countTokens({ ...body, tools: [late, weather] })).toEqual({ input_tokens });
});

describe('errors', () => {
  const failure = (params: Partial<Anthropic.MessageCreateParamsNonStreaming>) =>
    client.messages.create({ ...base, messages: [user('Hello!')], ...params }).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('of the request are the client’s BadRequestError', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'AAAA' } as const;
    const error = await failure({ messages: [user([{ type: 'image', source }])] });
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      requestID: expect.stringMatching(/^req_/),
    });
  });

  it('of a prompt that is too long are worded as agents know them', async () => {
    const error = await failure({ messages: [user('word '.repeat(3000))] });
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error).toMatchObject({
      apiMessage: expect.stringMatching(/^prompt is too long: \d+ tokens > 2048 maximum$/),
    });
  });

  it('of an unknown path are the client’s NotFoundError', async () => {
    await expect(client.get('/v1/messages/batches')).rejects.toMatchObject({ status: 404, type: 'not_found_error' });
  });

  it('of a missing key are the client’s AuthenticationError, under either header', async () => {
    const guarded = await startDemoServer(['--ctx-size', '512', '--parallel', '1', '--api-key', 'secret']);
    try {
      const ask = (options: ConstructorParameters<typeof Anthropic>[0]) =>
        new Anthropic({ baseURL: guarded.url, maxRetries: 0, ...options }).messages.create({
          ...base,
          max_tokens: 1,
          messages: [user('Hello!')],
        });
      await expect(ask({ apiKey: 'wrong' })).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
      await expect(ask({ apiKey: 'wrong' })).rejects.toMatchObject({ type: 'authentication_error' });
      expect(await ask({ apiKey: 'secret' })).toMatchObject({ type: 'message' });
      expect(await ask({ apiKey: null, authToken: 'secret' })).toMatchObject({ type: 'message' });
    } finally {
      await guarded.close();
    }
  });
});

it('the model list is in the client’s form', async () => {
  const models = [];
  for await (const model of client.models.list()) models.push(model);
  expect(models).toMatchObject([{ type: 'model', id: 'serve-model-demo', max_input_tokens: 2048 }]);
  expect(await client.models.retrieve('serve-model-demo')).toEqual(models[0]);
});
