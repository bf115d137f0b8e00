import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { generateText } from 'ai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { base64Of, chatMessages, type ImageExample, imageExamples, uriOf } from '../support/demo-images.ts';
import { startDemoServer } from '../support/demo-server.ts';

let server: RunningServer;
let blind: RunningServer;

beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '2048', '--parallel', '2']);
  blind = await startDemoServer(['--ctx-size', '1024', '--parallel', '1', '--no-mmproj']);
});

afterAll(async () => {
  await server?.close();
  await blind?.close();
});

async function post(path: string, body: object, at = server) {
  const response = await fetch(`${at.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}

const greedy = { temperature: 0, max_tokens: 120 };
const ask = (example: ImageExample, more: object = {}) =>
  post('/v1/chat/completions', {
    ...greedy,
    messages: chatMessages(example),
    chat_template_kwargs: { enable_thinking: example.enable_thinking },
    ...more,
  });

/** One image, then one text, no thought: what every API can say. */
const simple = imageExamples.filter(
  ({ enable_thinking, messages }) =>
    !enable_thinking && messages.length === 1 && messages[0]?.content.length === 2 && messages[0].content[0] === null,
);
const [example = imageExamples[0]] = simple;
if (!example) throw new Error('There are no examples.');
const [file = ''] = example.images;
const question = String(example.messages[0]?.content.at(-1));

describe('what the demo model sees', () => {
  it.each(imageExamples.map((each, index) => [index + 1, each.kind, each] as const))(
    'is what llama.cpp’s server gave (%i, %s)',
    async (_, __, each) => {
      const { json } = await ask(each);
      const { content, reasoning_content: reasoning = '' } = json.choices[0].message;
      expect([content, reasoning, json.usage.prompt_tokens]).toEqual([
        each.content,
        each.reasoning,
        each.prompt_tokens,
      ]);
    },
  );

  it('is counted and shown exactly', async () => {
    const messages = chatMessages(example);
    const body = { messages, chat_template_kwargs: { enable_thinking: false } };
    expect((await post('/v1/chat/completions/input_tokens', body)).json.input_tokens).toBe(example.prompt_tokens);
    expect((await post('/apply-template', body)).json.prompt).toContain(`[image: 36 tokens]${question}`);
    expect(await fetch(`${server.url}/props`).then((answer) => answer.json())).toMatchObject({
      modalities: { vision: true },
    });
  });
});

describe('through every API', () => {
  const content = [
    { type: 'text', text: question },
    { type: 'image_url', image_url: { url: uriOf(file) } },
  ].reverse();

  it('OpenAI chat, streamed, and as image_base64', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'demo',
      ...greedy,
      stream: true,
      messages: [{ role: 'user', content: content as OpenAI.Chat.ChatCompletionContentPart[] }],
      reasoning_effort: 'none',
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(example.content);
    const older = { ...greedy, messages: [{ role: 'user', content: question }], reasoning_effort: 'none' };
    const { json } = await post('/v1/chat/completions', { ...older, image_base64: base64Of(file) });
    expect(json.choices[0].message.content).toBe(example.content);
    const studio = await post('/generate/stream', { ...older, image_base64: base64Of(file) });
    expect(studio.status).toBe(200);
  });

  it('OpenAI responses, whole and streamed', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const input: OpenAI.Responses.ResponseInput = [
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: uriOf(file), detail: 'auto' },
          { type: 'input_text', text: question },
        ],
      },
    ];
    const body = {
      model: 'demo',
      input,
      temperature: 0,
      max_output_tokens: 120,
      reasoning: { effort: 'none' },
    } as const;
    const whole = await client.responses.create(body);
    expect([whole.output_text, whole.usage?.input_tokens]).toEqual([example.content, example.prompt_tokens]);
    let text = '';
    for await (const event of await client.responses.create({ ...body, stream: true }))
      if (event.type === 'response.output_text.delta') text += event.delta;
    expect(text).toBe(example.content);
  });

  it('Anthropic messages, whole and streamed, counted and in tool results', async () => {
    const client = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
    const image = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: base64Of(file) },
    } as const;
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: [image, { type: 'text', text: question }] }];
    const body = { model: 'demo', max_tokens: 120, temperature: 0, messages };
    const answer = await client.messages.create(body);
    expect(answer.content).toMatchObject([{ type: 'text', text: example.content }]);
    expect(await client.messages.stream(body).finalText()).toBe(example.content);
    expect((await client.messages.countTokens({ model: 'demo', messages })).input_tokens).toBe(example.prompt_tokens);
    const seen = await client.messages.countTokens({
      model: 'demo',
      messages: [
        { role: 'user', content: 'Look!' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'look', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [image] }] },
      ],
    });
    expect(seen.input_tokens).toBeGreaterThan(36);
  });

  it('Ollama chat and generate', async () => {
    const client = new Ollama({ host: server.url });
    const options = { temperature: 0, num_predict: 120 };
    const images = [base64Of(file)];
    const chat = await client.chat({
      model: 'demo',
      messages: [{ role: 'user', content: question, images }],
      think: false,
      options,
    });
    expect(chat.message.content).toBe(example.content);
    const generated = await client.generate({ model: 'demo', prompt: question, images, think: false, options });
    expect(generated.response).toBe(example.content);
    expect((await client.show({ model: 'demo' })).capabilities).toContain('vision');
  });

  it('file parts of the AI SDK', async () => {
    const provider = createOpenAICompatible({ name: 'demo', baseURL: `${server.url}/v1` });
    const { text } = await generateText({
      model: provider('demo'),
      temperature: 0,
      maxOutputTokens: 120,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'file', mediaType: 'image/png', data: base64Of(file) },
            { type: 'text', text: question },
          ],
        },
      ],
      providerOptions: { demo: { reasoningEffort: 'none' } },
    });
    expect(text).toBe(example.content);
  });

  it('raw completions in llama.cpp’s form', async () => {
    const { json: shown } = await post('/apply-template', {
      messages: [{ role: 'user', content: 'MARK' }],
      chat_template_kwargs: { enable_thinking: false },
    });
    const raw = (mark: string) => String(shown.prompt).replace('MARK', `${mark}${question}`);
    const limits = { temperature: 0, n_predict: 120 };
    const modern = { prompt_string: raw('<__media__>'), multimodal_data: [base64Of(file)] };
    expect((await post('/completion', { ...limits, prompt: modern })).json.content.trim()).toBe(example.content);
    const image_data = [{ data: base64Of(file), id: 3 }];
    const older = await post('/completion', { ...limits, prompt: raw('[img-3]'), image_data });
    expect(older.json.content.trim()).toBe(example.content);
  });
});

describe('images of earlier turns', () => {
  it('are encoded once, and their rows are not evaluated again', async () => {
    const own = imageExamples.find(({ kind }) => kind === 'second turn');
    if (!own) throw new Error('There is no such example.');
    const encoded = async () =>
      (await fetch(`${server.url}/internal/stats`).then((answer) => answer.text())).match(/"encodedMedia":(\d+)/)?.[1];
    const first = { ...own, messages: own.messages.slice(0, 1) };
    await ask(first);
    const before = await encoded();
    expect(before).toMatch(/^[1-9]/);
    const { json } = await ask(own);
    expect(json.choices[0].message.content).toBe(own.content);
    expect(json.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(36);
    expect(await encoded()).toBe(before);
    // Another image in its place shares nothing from there on.
    const other = await ask({ ...own, images: ['01-one.png'] });
    expect(other.json.usage.prompt_tokens_details.cached_tokens).toBeLessThan(36);
  });

  it('and texts go on beside each other', async () => {
    const story = { ...greedy, messages: [{ role: 'user', content: 'Tell me a story about a fox.' }] };
    const alone = (await post('/v1/chat/completions', story)).json.choices[0].message.content;
    const [text, seen] = await Promise.all([post('/v1/chat/completions', story), ask(example)]);
    expect(text.json.choices[0].message.content).toBe(alone);
    expect(seen.json.choices[0].message.content).toBe(example.content);
  });
});

describe('what is refused', () => {
  const withImage = (url: string) => ({
    ...greedy,
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
  });
  const uri = (bytes: Uint8Array | string) => `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;
  const png = Buffer.from(base64Of(file), 'base64');

  it.each([
    ['a script in SVG', uri('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), 'first bytes'],
    ['a text', uri('hello'), 'first bytes'],
    ['a beginning', uri(png.subarray(0, 60)), 'damaged or cut off'],
    [
      'another file behind its first bytes',
      uri(Buffer.concat([png.subarray(0, 8), Buffer.from('<svg/>')])),
      'cannot be read',
    ],
    ['a file of the server', 'file:///etc/passwd', "not read from the server's disk"],
    ['an address', 'http://127.0.0.1:1/a.png', '--allow-image-urls'],
  ])('%s', async (_, url, words) => {
    const { status, json } = await post('/v1/chat/completions', withImage(url));
    expect([status, json.error.message]).toEqual([400, expect.stringContaining(words)]);
    expect(json.error.param).toBe('messages[0].content[0].image_url');
  });

  it('an image for a model without eyes, but a note stands for one that comes out of a tool', async () => {
    const { status, json } = await post('/v1/chat/completions', withImage(uriOf(file)), blind);
    expect([status, json.error.message]).toEqual([400, expect.stringContaining('reads text only')]);
    const messages = [
      { role: 'user', content: 'Look!' },
      { role: 'assistant', tool_calls: [{ id: 't', type: 'function', function: { name: 'look', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 't', content: [{ type: 'image_url', image_url: { url: uriOf(file) } }] },
    ];
    const shown = await post('/apply-template', { messages }, blind);
    expect(shown.json.prompt).toContain('[an image, which this model cannot see]');
  });

  it('images after a load that the control API asks for, where no model is to see', async () => {
    const load = { model_path: 'serve-model-demo', max_seq_length: 512 };
    const { status, json } = await post('/api/inference/load', load, blind);
    expect([status, json.status, json.is_vision]).toEqual([200, 'loaded', false]);
    expect((await post('/v1/chat/completions', withImage(uriOf(file)), blind)).status).toBe(400);
  });

  it('text that spells what stands for an image stays text', async () => {
    const spelled = '\ue0000\ue000 \ue0010\ue001 <__media__>';
    const body = { messages: [{ role: 'user', content: spelled }] };
    expect((await post('/apply-template', body)).json.prompt).toContain(spelled);
  });
});

describe('with the engine in a process of its own', () => {
  it('images go there too', async () => {
    const apart = await startDemoServer(['--ctx-size', '1024', '--parallel', '1', '--engine-process']);
    try {
      const body = { ...greedy, messages: chatMessages(example), chat_template_kwargs: { enable_thinking: false } };
      const { json } = await post('/v1/chat/completions', body, apart);
      expect(json.choices[0].message.content).toBe(example.content);
    } finally {
      await apart.close();
    }
  });
});

describe('a request that is given up', () => {
  it('takes its image along, and the slot serves the next one', async () => {
    const abort = new AbortController();
    const given = fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...greedy, stream: true, messages: chatMessages(example) }),
      signal: abort.signal,
    }).then((response) => response.text());
    abort.abort();
    await expect(given).rejects.toThrow();
    const { json } = await ask(example);
    expect(json.choices[0].message.content).toBe(example.content);
  });
});
