import OpenAI from 'openai';
import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { examples } from '../support/demo-examples.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** The official client against the real server and the bundled model. */

let server: RunningServer;
let openai: OpenAI;

beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '2048']);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => server.close());

const cityParameters = {
  type: 'object',
  properties: { city: { type: 'string', description: 'City name' } },
  required: ['city'],
};

const weather: ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Get the current weather for a city',
    parameters: cityParameters,
  },
};

const ask = (content: string) => ({
  model: 'gpt-4o',
  temperature: 0,
  messages: [{ role: 'user' as const, content }],
});

/** The extension fields that the client's types do not know. */
interface Thinking {
  readonly reasoning?: string;
  readonly reasoning_content?: string;
}

describe('the official client', () => {
  it('chats', async () => {
    const completion = await openai.chat.completions.create(ask('Who are you?'));
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'serve-model-demo',
      choices: [
        {
          message: {
            content:
              'I am the tiny demo model bundled with serve-model. I can chat a little, call tools and tell stories.',
          },
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 12 },
    });
  });

  it('streams', async () => {
    const stream = await openai.chat.completions.create({
      ...ask('Who are you?'),
      stream: true,
      stream_options: { include_usage: true },
    });
    const pieces: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.content;
      if (piece) pieces.push(piece);
      usage = chunk.usage ?? usage;
    }
    expect(pieces.join('')).toContain('tiny demo model bundled with serve-model');
    expect(pieces.length).toBeGreaterThan(5);
    expect(usage).toMatchObject({ prompt_tokens: 12 });
  });

  it('sees the reasoning under both of its names, and its tokens counted', async () => {
    const completion = await openai.chat.completions.create(ask('Who are you?'));
    const message: (Thinking & OpenAI.ChatCompletionMessage) | undefined = completion.choices[0]?.message;
    expect(message?.reasoning?.trim()).toBe('The user asks who I am.');
    expect(message?.reasoning_content).toBe(message?.reasoning);
    expect(completion.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(3);
  });

  it('calls a tool and answers after its result', async () => {
    const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: "What's the weather in Paris?" }];
    const asked = await openai.chat.completions.create({ model: 'm', temperature: 0, messages, tools: [weather] });
    const choice = asked.choices[0];
    const call = choice?.message.tool_calls?.[0];
    if (!choice || call?.type !== 'function') throw new Error('no call');
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
    expect(call.function.name).toBe('get_weather');
    expect(JSON.parse(call.function.arguments)).toEqual({ city: 'Paris' });
    const answered = await openai.chat.completions.create({
      model: 'm',
      temperature: 0,
      tools: [weather],
      messages: [
        ...messages,
        choice.message,
        { role: 'tool', tool_call_id: call.id, content: '{"temperature": 18, "condition": "sunny"}' },
      ],
    });
    expect(answered.choices[0]?.message.content).toBe('It is 18 degrees and sunny in Paris.');
  });

  it('runs tools by its own helper', async () => {
    const runner = openai.chat.completions.runTools({
      model: 'm',
      temperature: 0,
      stream: true,
      messages: [{ role: 'user', content: "What's the weather in Paris?" }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'Get the current weather for a city',
            parameters: cityParameters,
            function: (city: string) => (city === '{"city": "Paris"}' ? '18 degrees and cloudy' : `not ${city}`),
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('It is 18 degrees and cloudy in Paris.');
  });

  it('breaks a stream off, and the next request has its slot', async () => {
    const long = { ...ask('Tell me a long story.'), max_tokens: 1500 };
    for (let round = 0; round < 6; round++) {
      const stream = await openai.chat.completions.create({ ...long, stream: true });
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    }
    const completion = await openai.chat.completions.create(ask('Who are you?'));
    expect(completion.choices[0]?.finish_reason).toBe('stop');
  });

  it('reads the numbers of a prompt that is too long', async () => {
    const error = await openai.chat.completions.create(ask('word '.repeat(3000))).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'context_length_exceeded' });
  });

  it('is told the seed that was used, which gives the same answer again', async () => {
    const story = { ...ask('Tell me a story.'), temperature: 1.5, max_tokens: 40 };
    const told = async (body: string) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers, body });
      const choice = z.object({ seed: z.int(), message: z.object({ content: z.string() }) });
      const { choices } = z.object({ choices: z.tuple([choice]) }).parse(await response.json());
      return [choices[0].seed, choices[0].message.content];
    };
    const drawn = await told(JSON.stringify(story));
    expect(await told(JSON.stringify({ ...story, seed: drawn[0] }))).toEqual(drawn);
    // Doubles cannot tell these two apart.
    const [even, odd] = ['9007199254740992', '9007199254740993'].map((seed) =>
      JSON.stringify({ ...story, seed: 0 }).replace('"seed":0', `"seed":${seed}`),
    );
    expect([(await told(even ?? ''))[0], (await told(odd ?? ''))[0]]).toEqual([0, 1]);
  });

  it('gets as many different answers as it asks for, and the same ones again by their seed', async () => {
    const request = { ...ask('Tell me a story.'), temperature: 1.5, seed: 7, n: 6, max_tokens: 60 };
    const first = await openai.chat.completions.create(request);
    const again = await openai.chat.completions.create(request);
    const texts = ({ choices }: OpenAI.ChatCompletion) =>
      choices.map(({ message }: { message: Thinking & { content: string | null } }) => [
        message.reasoning,
        message.content,
      ]);
    expect(texts(first)).toHaveLength(6);
    expect(new Set(texts(first).map(String)).size).toBeGreaterThan(1);
    expect(texts(again)).toEqual(texts(first));
  });
});

describe('a stream, collected', () => {
  it.each(examples.map((example, index) => [example.skill, index, example] as const))(
    'is the plain answer (%s, %d)',
    async (_, __, example) => {
      // The fixture's requests are JSON of this shape; the client's types are finer than the file's.
      const request = {
        model: 'm',
        temperature: 0,
        ...example.request,
      } as OpenAI.ChatCompletionCreateParamsNonStreaming;
      const [plain, streamed] = await Promise.all([
        openai.chat.completions.create(request),
        collectStream(await openai.chat.completions.create({ ...request, stream: true })),
      ]);
      const choice = plain.choices[0];
      const message: (Thinking & OpenAI.ChatCompletionMessage) | undefined = choice?.message;
      expect(streamed).toEqual({
        content: message?.content ?? '',
        reasoning: message?.reasoning ?? '',
        reasoningContent: message?.reasoning_content ?? '',
        calls: message?.tool_calls?.map((call) => (call.type === 'function' ? call.function : call)) ?? [],
        finishReason: choice?.finish_reason,
      });
      expect(message?.content ?? '').toBe(example.content);
    },
  );
});

async function collectStream(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  const all = { content: '', reasoning: '', reasoningContent: '', finishReason: '' };
  const calls: { name: string; arguments: string }[] = [];
  for await (const { choices } of stream) {
    const delta: (Thinking & OpenAI.ChatCompletionChunk.Choice.Delta) | undefined = choices[0]?.delta;
    all.content += delta?.content ?? '';
    all.reasoning += delta?.reasoning ?? '';
    all.reasoningContent += delta?.reasoning_content ?? '';
    all.finishReason = choices[0]?.finish_reason ?? all.finishReason;
    for (const { index, function: piece } of delta?.tool_calls ?? []) {
      if (piece?.name !== undefined) calls[index] = { name: piece.name, arguments: '' };
      const call = calls[index];
      if (call) call.arguments += piece?.arguments ?? '';
    }
  }
  return { ...all, calls };
}
