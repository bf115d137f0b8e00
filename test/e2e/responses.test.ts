import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zodTextFormat } from 'openai/helpers/zod';
import type { ResponseInputItem, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { codexRequests } from '../dialects/openai-responses/codex-requests.ts';
import { type ResponsesServer, startResponsesServer, timeTool, until, weatherTool } from './responses-server.ts';

const ask = { model: 'demo', temperature: 0 } as const;

describe('the Responses API through the official SDK', () => {
  let house: ResponsesServer;
  beforeAll(async () => {
    house = await startResponsesServer();
  });
  afterAll(() => house.server.close());

  it('answers with reasoning and a message', async () => {
    const response = await house.client.responses.create({ ...ask, input: 'Who are you?' });
    expect(response).toMatchObject({
      status: 'completed',
      model: 'serve-model-demo',
      output: [
        { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'The user asks who I am.\n' }] },
        { type: 'message', role: 'assistant', status: 'completed' },
      ],
      output_text:
        'I am the tiny demo model bundled with serve-model. I can chat a little, call tools and tell stories.',
      usage: { input_tokens: 12, output_tokens: 35 },
    });
  });

  it('streams what the accumulator puts together to the same', async () => {
    const stream = house.client.responses.stream({ ...ask, input: 'Count from 1 to 10.' });
    let text = '';
    stream.on('response.output_text.delta', (event) => {
      text += event.delta;
      expect(event.snapshot).toBe(text);
    });
    const response = await stream.finalResponse();
    expect(response.output_text).toBe('1, 2, 3, 4, 5, 6, 7, 8, 9, 10');
    expect(text).toBe(response.output_text);
    expect(house.checkedStreams()).toBeGreaterThan(0);
  });

  it('parses an answer into a zod schema', async () => {
    const person = z.object({ name: z.string(), age: z.number(), city: z.string() });
    const body = {
      ...ask,
      input: 'Give me JSON with name, age and city: Bob, 42, Paris',
      text: { format: zodTextFormat(person, 'person') },
    };
    const wanted = { name: 'Bob', age: 42, city: 'Paris' };
    expect((await house.client.responses.parse(body)).output_parsed).toEqual(wanted);
    expect((await house.client.responses.stream(body).finalResponse()).output_parsed).toEqual(wanted);
  });

  it('lets the client search for tools and calls what it found', async () => {
    const parameters = {
      type: 'object',
      properties: { query: { type: 'string', maxLength: 20 } },
      required: ['query'],
    };
    const search = {
      type: 'tool_search' as const,
      execution: 'client' as const,
      description: 'Find tools',
      parameters,
    };
    const question = { role: 'user' as const, content: "What's the weather in Paris?" };
    const asked = await house.client.responses.create({
      ...ask,
      tools: [search],
      tool_choice: 'required',
      parallel_tool_calls: false,
      input: [question],
    });
    const call = asked.output.find((item) => item.type === 'tool_search_call');
    expect(call).toMatchObject({ execution: 'client', status: 'completed', arguments: { query: expect.any(String) } });
    const found: ResponseInputItem = {
      type: 'tool_search_output',
      call_id: call?.call_id ?? '',
      execution: 'client',
      tools: [{ ...weatherTool, defer_loading: true }],
    };
    const input: ResponseInputItem[] = [question, ...(call ? [call] : []), found];
    const told = await house.client.responses.create({
      ...ask,
      tools: [search],
      tool_choice: { type: 'function', name: weatherTool.name },
      input,
    });
    expect(told.output.filter(({ type }) => type === 'function_call')).toMatchObject([
      { name: weatherTool.name, arguments: expect.stringContaining('{') },
    ]);
  });

  it('runs a loop of tools over three turns with every item replayed', async () => {
    const input: ResponseInputItem[] = [];
    const outputs: Record<string, string> = {
      get_weather: '{"temperature": 18, "condition": "sunny"}',
      get_time: '14:05',
    };
    const turn = async (question: string) => {
      input.push({ role: 'user', content: question });
      for (let step = 0; step < 3; step += 1) {
        const response = await house.client.responses.create({ ...ask, input, tools: [weatherTool, timeTool] });
        expect(response.output.map((item) => item.type)).toContain('reasoning');
        input.push(...(response.output as ResponseInputItem[]));
        const calls = response.output.filter((item) => item.type === 'function_call');
        if (calls.length === 0) return response;
        for (const { call_id, name } of calls)
          input.push({ type: 'function_call_output', call_id, output: outputs[name] ?? '' });
      }
      throw new Error('the model called tools without end');
    };
    expect((await turn("What's the weather in Paris?")).output_text).toBe('It is 18 degrees and sunny in Paris.');
    expect((await turn('What time is it in Tokyo?')).output_text).toBe('It is 14:05 in Tokyo.');
    const last = await turn('What is the weather like in Rome?');
    expect(last.output_text).toBe('It is 18 degrees and sunny in Rome.');
    expect(input.filter((item) => item.type === 'function_call')).toHaveLength(3);
    expect(input.filter((item) => item.type === 'reasoning')).toHaveLength(6);
    expect(last.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(100);
  });

  it('streams the arguments of calls in pieces', async () => {
    const stream = house.client.responses.stream({
      ...ask,
      input: "What's the weather in Paris?",
      tools: [weatherTool],
    });
    const pieces: string[] = [];
    stream.on('response.function_call_arguments.delta', (event) => pieces.push(event.delta));
    const [, call] = (await stream.finalResponse()).output;
    expect(call).toMatchObject({
      type: 'function_call',
      name: 'get_weather',
      status: 'completed',
      call_id: expect.stringMatching(/^call_/),
    });
    expect(JSON.parse(pieces.join(''))).toEqual({ city: 'Paris' });
  });

  it('says that an answer was cut off at the token limit', async () => {
    const response = await house.client.responses.create({ ...ask, input: 'Count to 20.', max_output_tokens: 20 });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { output_tokens: 20 },
    });
  });

  it('stops the work when the client leaves a stream', async () => {
    const stream = await house.client.responses.create({ ...ask, input: 'Count from 1 to 100.', stream: true });
    const before = house.server.engine.stats().decodeTokens;
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;
    await until('every slot to be idle', () => house.server.engine.slots().every(({ phase }) => phase === 'idle'));
    const decoded = house.server.engine.stats().decodeTokens - before;
    expect(decoded).toBeGreaterThan(5);
    // To count up to 100 takes about 290 tokens.
    expect(decoded).toBeLessThan(100);
  });

  it('refuses what does not fit the context, or leaves the oldest items out where that is asked', async () => {
    const items = Array.from({ length: 60 }, (_, index) => [
      { role: 'user' as const, content: `Count from 1 to 20, please. This is message number ${index}.` },
      { role: 'assistant' as const, content: '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20' },
    ]).flat();
    const input = [...items, { role: 'user' as const, content: 'Who are you?' }];
    await expect(house.client.responses.create({ ...ask, input })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    const { data, response } = await house.client.responses
      .create({ ...ask, input, truncation: 'auto', max_output_tokens: 60 })
      .withResponse();
    expect(data.usage?.input_tokens).toBeLessThanOrEqual(2048 - 60);
    expect(response.headers.get('x-serve-model-warning')).toMatch(/its oldest \d+ messages were left out/);
  });

  it('counts the tokens that a request would have', async () => {
    const count = await house.client.responses.inputTokens.count({ model: 'demo', input: 'Who are you?' });
    expect(count).toMatchObject({ object: 'response.input_tokens', input_tokens: 12 });
  });

  it.each(Object.entries(codexRequests))('serves Codex: %s', async (_, body) => {
    const response = await house.fetch('http://localhost/v1/responses', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, max_output_tokens: 8 }),
    });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('response.created')]);
  });
});

/** The response once it is over. The turn of the event loop between two looks stands for a client's pause. */
async function polled({ client }: ResponsesServer, id: string) {
  const giveUp = performance.now() + 20_000;
  while (performance.now() < giveUp) {
    const response = await client.responses.retrieve(id);
    if (response.status !== 'queued' && response.status !== 'in_progress') return response;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`the response ${id} did not end`);
}

describe('kept responses through the official SDK', () => {
  let house: ResponsesServer;
  beforeAll(async () => {
    house = await startResponsesServer({ responseStore: 'memory' });
  });
  afterAll(() => house.server.close());

  it('go on from each other and pay only for what is new', async () => {
    const first = await house.client.responses.create({ ...ask, input: 'My name is Alice.' });
    const second = await house.client.responses.create({
      ...ask,
      input: 'What is my name?',
      previous_response_id: first.id,
    });
    expect(second.output_text).toContain('Alice');
    const cached = second.usage?.input_tokens_details.cached_tokens ?? 0;
    expect((second.usage?.input_tokens ?? 0) - cached).toBeLessThan(40);
    expect(await house.client.responses.retrieve(first.id)).toEqual(first);
    await house.client.responses.delete(first.id);
    await expect(house.client.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 });
  });

  it('run in the background until they are polled', async () => {
    const queued = await house.client.responses.create({ ...ask, input: 'Count from 1 to 10.', background: true });
    expect(queued.status).toBe('queued');
    const response = await polled(house, queued.id);
    expect(response).toMatchObject({ status: 'completed', output_text: '1, 2, 3, 4, 5, 6, 7, 8, 9, 10' });
  });

  it('are resumed behind a cut connection with no event lost or doubled', async () => {
    const body = { ...ask, input: 'Count to 20.', background: true, stream: true } as const;
    const before: ResponseStreamEvent[] = [];
    for await (const event of await house.client.responses.create(body)) {
      before.push(event);
      if (before.length === 12) break;
    }
    const [created] = before;
    const id = created?.type === 'response.created' ? created.response.id : '';
    const after: ResponseStreamEvent[] = [];
    for await (const event of await house.client.responses.retrieve(id, { stream: true, starting_after: 11 }))
      after.push(event);
    const whole: ResponseStreamEvent[] = [];
    for await (const event of await house.client.responses.retrieve(id, { stream: true })) whole.push(event);
    expect([...before, ...after]).toEqual(whole);
    expect(whole.at(-1)?.type).toBe('response.completed');
  });

  it('are cancelled with what there is', async () => {
    const { id } = await house.client.responses.create({ ...ask, input: 'Count from 1 to 100.', background: true });
    const cancelled = await house.client.responses.cancel(id);
    expect(cancelled.status).toBe('cancelled');
    expect(await house.client.responses.retrieve(id)).toEqual({ ...cancelled, output_text: expect.anything() });
    await until('every slot to be idle', () => house.server.engine.slots().every(({ phase }) => phase === 'idle'));
  });
});

describe('responses kept in a folder', () => {
  it('are gone on from after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'responses-'));
    try {
      const before = await startResponsesServer({ responseStore: folder });
      const first = await before.client.responses.create({ ...ask, input: 'My name is Alice.' });
      await before.server.close();
      const after = await startResponsesServer({ responseStore: folder });
      try {
        expect(await after.client.responses.retrieve(first.id)).toEqual(first);
        const next = { ...ask, input: 'What is my name?', previous_response_id: first.id };
        expect((await after.client.responses.create(next)).output_text).toContain('Alice');
      } finally {
        await after.server.close();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
