import { createOpenAI } from '@ai-sdk/openai';
import { Agent, tool as agentTool, run, setTracingDisabled } from '@openai/agents';
import { OpenAIResponsesModel } from '@openai/agents-openai';
import { generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { agentsClient, type ResponsesServer, startResponsesServer } from './responses-server.ts';

// Reasoning that it cannot send back is a warning on the console, once per request.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const weather = '{"temperature": 18, "condition": "sunny"}';
const question = "What's the weather in Paris?";
const answer = 'It is 18 degrees and sunny in Paris.';

describe.each([
  ['a server that keeps nothing', undefined],
  ['a server that keeps responses', 'memory'],
])('the Vercel AI SDK in front of %s', (_, responseStore) => {
  let house: ResponsesServer;
  beforeAll(async () => {
    house = await startResponsesServer({ responseStore });
  });
  afterAll(() => house.server.close());

  // By default it names earlier items instead of sending them, which only a server that keeps them can serve.
  const providerOptions = { openai: { store: responseStore !== undefined } };
  const settings = () => ({
    model: createOpenAI({ apiKey: 'none', baseURL: 'http://localhost/v1', fetch: house.fetch }).responses('demo'),
    providerOptions,
    maxRetries: 0,
  });
  const replayed = responseStore === undefined ? { type: 'reasoning' } : { type: 'item_reference' };
  const tools = {
    get_weather: tool({
      description: 'Get the current weather for a city',
      inputSchema: z.object({ city: z.string().describe('City name') }),
      execute: async () => weather,
    }),
  };

  it('generates text', async () => {
    const result = await generateText({ ...settings(), prompt: 'Hello!' });
    expect(result).toMatchObject({ text: 'Hello! How can I help you?', finishReason: 'stop' });
  });

  it('shows the reasoning and gives it back in the next step', async () => {
    const openai = { ...providerOptions.openai, forceReasoning: true, reasoningSummary: 'auto' };
    const options = { ...settings(), providerOptions: { openai }, tools, stopWhen: stepCountIs(3), prompt: question };
    const { steps } = await generateText(options);
    expect(steps[0]?.reasoningText).toContain('The user wants the weather in Paris.');
    const [, second] = house.bodies().slice(-2);
    expect(second).toMatchObject({ input: expect.arrayContaining([expect.objectContaining(replayed)]) });
  });

  it('streams text', async () => {
    const result = streamText({ ...settings(), prompt: 'Count from 1 to 10.' });
    const pieces: string[] = [];
    for await (const piece of result.textStream) pieces.push(piece);
    expect(pieces.join('')).toBe('1, 2, 3, 4, 5, 6, 7, 8, 9, 10');
    expect(pieces.length).toBeGreaterThan(5);
  });

  it('runs tools over several steps, whole and streamed', async () => {
    const options = { ...settings(), tools, stopWhen: stepCountIs(3), prompt: question };
    const whole = await generateText(options);
    expect(whole.text).toBe(answer);
    expect(whole.steps.map((step) => step.finishReason)).toEqual(['tool-calls', 'stop']);
    const streamed = streamText(options);
    expect(await streamed.text).toBe(answer);
    expect(house.checkedStreams()).toBeGreaterThan(0);
  });

  it('generates an object', async () => {
    const { object } = await generateObject({
      ...settings(),
      schema: z.object({ name: z.string(), age: z.number(), city: z.string() }),
      prompt: 'Give me JSON with name, age and city: Bob, 42, Paris',
    });
    expect(object).toEqual({ name: 'Bob', age: 42, city: 'Paris' });
  });
});

describe('the OpenAI Agents SDK', () => {
  let house: ResponsesServer;
  beforeAll(async () => {
    setTracingDisabled(true);
    house = await startResponsesServer();
  });
  afterAll(() => house.server.close());

  const agent = () =>
    new Agent({
      name: 'Assistant',
      instructions: 'You are a helpful assistant.',
      model: new OpenAIResponsesModel(agentsClient(house), 'demo'),
      modelSettings: { temperature: 0 },
      tools: [
        agentTool({
          name: 'get_weather',
          description: 'Get the current weather for a city',
          parameters: z.object({ city: z.string().describe('City name') }),
          execute: async () => weather,
        }),
      ],
    });

  it('runs an agent that uses a tool', async () => {
    const result = await run(agent(), question);
    expect(result.finalOutput).toBe(answer);
    expect(result.newItems.map((item) => item.type)).toEqual([
      'reasoning_item',
      'tool_call_item',
      'tool_call_output_item',
      'reasoning_item',
      'message_output_item',
    ]);
  });

  it('runs it streamed', async () => {
    const result = await run(agent(), question, { stream: true });
    await result.completed;
    expect(result.finalOutput).toBe(answer);
    expect(house.checkedStreams()).toBe(2);
  });
});
