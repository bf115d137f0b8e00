import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Ollama } from 'ollama';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { withDeadline } from '../support/serve-process.ts';

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Get the current weather for a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', description: 'City name' } },
      required: ['city'],
    },
  },
};

/** The official client against the demo model, greedily. */
describe('the ollama client', () => {
  let server: RunningServer;
  let client: Ollama;
  beforeAll(async () => {
    server = await startDemoServer();
    client = new Ollama({ host: server.url });
  });
  afterAll(() => server.close());

  const model = 'serve-model-demo';
  const options = { temperature: 0 };
  const messages = [{ role: 'user', content: 'Who are you?' }];
  const answer = 'I am the tiny demo model bundled with serve-model. I can chat a little, call tools and tell stories.';

  it('chats, thinking apart from the text', async () => {
    const response = await client.chat({ model, messages, options });
    expect(response.message).toEqual({ role: 'assistant', content: answer, thinking: 'The user asks who I am.\n' });
    expect(response).toMatchObject({ model, done: true, done_reason: 'stop', prompt_eval_count: 12 });
    expect(response.eval_count).toBeGreaterThan(20);
    expect(response.total_duration).toBeGreaterThan(response.eval_duration);
    // A token of this model takes well under a second: the unit is nanoseconds.
    expect(response.eval_duration / response.eval_count).toBeGreaterThan(1e4);
  });

  it('streams the same, line by line', async () => {
    const said = { content: '', thinking: '' };
    let last: unknown;
    for await (const part of await client.chat({ model, messages, options, stream: true })) {
      said.content += part.message.content;
      said.thinking += part.message.thinking ?? '';
      last = part;
    }
    expect(said).toEqual({ content: answer, thinking: 'The user asks who I am.\n' });
    expect(last).toMatchObject({ done: true, done_reason: 'stop', message: { content: '' } });
  });

  it('answers at once with think false, and stops at num_predict', async () => {
    const response = await client.chat({ model, messages, think: false, options: { ...options, num_predict: 5 } });
    expect(response.message).toEqual({ role: 'assistant', content: expect.stringMatching(/^I am the/) });
    expect(response).toMatchObject({ done_reason: 'length', eval_count: 5 });
  });

  it('gives programs that read chunk by chunk one line in each', async () => {
    const asked = request(`${server.url}/api/chat`, { method: 'POST' });
    asked.end(JSON.stringify({ model, messages, options }));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const chunks: string[] = [];
    response.on('data', (bytes: Buffer) => chunks.push(bytes.toString()));
    await withDeadline('the end of the stream', once(response, 'end'));
    expect(chunks.filter((chunk) => !/^[^\n]+\n$/.test(chunk))).toEqual([]);
    expect(chunks.length).toBeGreaterThan(20);
  });

  it('calls a tool and reads its answer', async () => {
    const question = { role: 'user', content: "What's the weather in Paris?" };
    const asked = await client.chat({ model, messages: [question], tools: [weather], options });
    expect(asked.message).toMatchObject({
      content: '',
      tool_calls: [{ function: { name: 'get_weather', arguments: { city: 'Paris' } } }],
    });
    const result = { role: 'tool', content: '{"temperature": 18, "condition": "sunny"}', tool_name: 'get_weather' };
    const told = await client.chat({ model, messages: [question, asked.message, result], tools: [weather], options });
    expect(told.message.content).toMatch(/18.*sunny|sunny.*18/s);
  });

  it('streams a tool call in one piece', async () => {
    const question = [{ role: 'user', content: "What's the weather in Paris?" }];
    const calls = [];
    for await (const part of await client.chat({ model, messages: question, tools: [weather], options, stream: true }))
      calls.push(...(part.message.tool_calls ?? []));
    expect(calls).toMatchObject([{ function: { name: 'get_weather', arguments: { city: 'Paris' } } }]);
  });

  it('keeps to a schema given as format', async () => {
    const format = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: ['name', 'age'],
      additionalProperties: false,
    };
    const question = [{ role: 'user', content: 'Give me JSON with name, age and city: Bob, 42, Paris' }];
    const { message } = await client.chat({ model, messages: question, format, options });
    expect(JSON.parse(message.content)).toEqual({ name: 'Bob', age: 42 });
  });

  it('generates from a prompt, raw text and around a gap', async () => {
    const base = { model, options, stream: false as const };
    expect((await client.generate({ ...base, prompt: 'Who are you?', think: false })).response).toBe(answer);
    const raw = await client.generate({
      ...base,
      prompt: 'The capital of France is',
      raw: true,
      options: { ...options, num_predict: 6 },
    });
    expect(raw.response).toContain('Paris');
    const middle = await client.generate({ ...base, prompt: 'def add(a, b):\n    ', suffix: '\n' });
    expect(middle.response).toBe('return a + b');
  });

  it('embeds', async () => {
    const { embeddings, model: name, prompt_eval_count } = await client.embed({ model, input: ['cat', 'dog', 'cat'] });
    expect(name).toBe(model);
    expect(embeddings.map((vector) => vector.length)).toEqual([192, 192, 192]);
    expect(embeddings[2]).toEqual(embeddings[0]);
    expect(embeddings[1]).not.toEqual(embeddings[0]);
    expect(prompt_eval_count).toBeGreaterThan(2);
    await expect(client.embed({ model, input: ['cat', '', 'dog'] })).rejects.toMatchObject({ status_code: 400 });
    expect((await client.embed({ model, input: '' })).embeddings).toEqual([]);
    const old = await client.embeddings({ model, prompt: 'cat' });
    expect(old.embedding).toEqual(embeddings[0]);
  });

  it('lists, shows and finds what runs', async () => {
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(['serve-model-demo:latest']);
    expect(models[0]?.details).toMatchObject({ format: 'gguf', family: 'llama', parameter_size: '3.0M' });
    expect((await client.ps()).models.map(({ name }) => name)).toEqual(['serve-model-demo:latest']);
    const shown = await client.show({ model: 'serve-model-demo:latest' });
    expect(shown.capabilities).toEqual(['completion', 'tools', 'thinking', 'insert', 'vision']);
    expect(shown.model_info).toMatchObject({ 'general.architecture': 'llama', 'llama.context_length': 4096 });
    expect((await client.version()).version).toMatch(/^\d+\./);
  });

  it('is told that the model is loaded when it only asks for that', async () => {
    const loaded = await client.chat({ model, messages: [] });
    expect(loaded).toMatchObject({ done: true, done_reason: 'load', message: { content: '' } });
    await expect(client.generate({ model, prompt: '', keep_alive: 0 })).rejects.toMatchObject({ status_code: 501 });
  });

  it('hears clearly what is not possible', async () => {
    await expect(client.pull({ model: 'llama3', stream: false })).rejects.toMatchObject({
      status_code: 501,
      error: expect.stringContaining('/api/pull is not possible here'),
    });
    await expect(
      client.chat({ model, messages: [{ role: 'user', content: 'What is this?', images: ['aGk='] }] }),
    ).rejects.toMatchObject({ status_code: 400, error: expect.stringContaining('This image cannot be read') });
  });
});
