import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { sampleAnswers } from '../dialects/sample-answers.ts';
import { type Door, openDoor } from './support.ts';

/**
 * The providers of Vercel's AI SDK hold every answer and every frame against a zod schema of their own: one that does
 * not fit is an exception (`Invalid JSON response`), or an `error` part of the stream. Many clients are built on them.
 */

type Language = ReturnType<ReturnType<typeof createOpenAI>['chat']>;
type Options = Parameters<Language['doGenerate']>[0];

/** Each kind of model that the providers make, in front of the door. */
const models = {
  'openai, chat': (fetch) => createOpenAI(access(fetch)).chat('demo'),
  'openai, responses': (fetch) => createOpenAI(access(fetch)).responses('demo'),
  'openai, completions': (fetch) => createOpenAI(access(fetch)).completion('demo'),
  'openai-compatible, chat': (fetch) => compatible(fetch).chatModel('demo'),
  'openai-compatible, completions': (fetch) => compatible(fetch).completionModel('demo'),
  'anthropic, messages': (fetch) => createAnthropic(access(fetch))('demo'),
} satisfies Record<string, (fetch: typeof globalThis.fetch) => Language>;

function access(fetch: typeof globalThis.fetch) {
  return { baseURL: 'http://localhost/v1', apiKey: 'none', fetch };
}

function compatible(fetch: typeof globalThis.fetch) {
  return createOpenAICompatible({ ...access(fetch), name: 'demo', includeUsage: true });
}

function fetchOf(door: Door): typeof globalThis.fetch {
  return async (url, init) => door.app.request(new Request(url, init));
}

const options: Options = {
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  maxOutputTokens: 100,
  tools: ['look', 'list'].map((name) => ({ type: 'function', name, inputSchema: { type: 'object' } })),
};

/** The completions API knows no tools, and reasoning models of OpenAI are known by their names. */
function optionsFor(name: string, withLogprobs: boolean): Options {
  const { tools, ...plain } = options;
  const openai = { ...(withLogprobs && { logprobs: 3 }), ...(name.includes('responses') && { store: false }) };
  return {
    ...plain,
    ...(!name.includes('completions') && { tools: tools ?? [] }),
    providerOptions: { openai },
  };
}

interface Seen {
  readonly text: string;
  readonly calls: readonly string[];
}

async function whole(model: Language, given: Options): Promise<Seen> {
  const { content } = await model.doGenerate(given);
  return {
    text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    calls: content.flatMap((part) => (part.type === 'tool-call' ? [part.toolName] : [])),
  };
}

async function streamed(model: Language, given: Options): Promise<Seen> {
  const { stream } = await model.doStream(given);
  let text = '';
  const calls: string[] = [];
  const errors: unknown[] = [];
  for await (const part of stream) {
    if (part.type === 'text-delta') text += part.delta;
    if (part.type === 'tool-call') calls.push(part.toolName);
    if (part.type === 'error') errors.push(part.error);
  }
  expect(errors).toEqual([]);
  return { text, calls };
}

describe.each(Object.entries(models))("Vercel's AI SDK, %s", (name, modelOf) => {
  const isRaw = name.includes('completions');

  it.each(Object.entries(sampleAnswers))('reads %s, whole and streamed', async (what, said) => {
    const door = openDoor();
    door.generation.script = (run) => run.say(...said);
    const model = modelOf(fetchOf(door));
    const given = optionsFor(name, what.includes('log prob'));
    const blocks = said.filter((event) => event.type === 'block-start');
    // A raw completion is all that the model wrote.
    const kinds = new Map(blocks.map((block) => [block.index, isRaw ? 'text' : block.kind]));
    const wanted: Seen = {
      text: said
        .map((event) => (event.type === 'block-delta' && kinds.get(event.index) === 'text' ? event.delta : ''))
        .join(''),
      calls: isRaw ? [] : blocks.flatMap((block) => (block.kind === 'tool-call' ? [block.name] : [])),
    };
    expect(await whole(model, given)).toEqual(wanted);
    // A call whose arguments never became JSON is no call for a client that parses them as they come.
    const isCut = what.endsWith('cut') && wanted.calls.length > 0;
    expect(await streamed(model, given)).toEqual(isCut ? { ...wanted, calls: expect.any(Array) } : wanted);
  });

  it('reads an error before and after the first byte as what it is', async () => {
    const door = openDoor();
    const overflow = new ServeError('context_length_exceeded', 'too long', { param: 'messages' });
    door.generation.script = (run, index) =>
      index === 0
        ? run.say(overflow)
        : run.say(...sampleAnswers['a text'].slice(0, 3), new ServeError('internal', 'broken'));
    const model = modelOf(fetchOf(door));
    await expect(model.doGenerate(optionsFor(name, false))).rejects.toMatchObject({
      name: 'AI_APICallError',
      statusCode: 400,
      message: expect.stringContaining('too long'),
    });
    const { stream } = await model.doStream(optionsFor(name, false));
    const errors: unknown[] = [];
    for await (const part of stream) if (part.type === 'error') errors.push(part.error);
    expect(errors.map((error) => JSON.stringify(error))).toEqual(
      errors.map(() => expect.stringContaining('broken') as string),
    );
    expect(errors.length).toBeGreaterThan(0);
  });
});

it("Vercel's AI SDK reads embeddings", async () => {
  const fetch = fetchOf(openDoor());
  for (const model of [createOpenAI(access(fetch)).embedding('demo'), compatible(fetch).embeddingModel('demo')]) {
    const { embeddings, usage } = await model.doEmbed({ values: ['one', 'three'] });
    expect(embeddings).toEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(usage).toEqual({ tokens: 8 });
  }
});
