import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { JsonValue } from '../../src/contract/json.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';
import type { RunningServer } from '../../src/main.ts';
import { schemas } from '../grammar/random-schema.ts';
import { schemaToGrammar } from '../grammar/schema-grammar.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { writeRandomModel } from '../support/random-model.ts';

const ajv = new Ajv2020.default({ strict: false, logger: false });
addFormats.default(ajv);

interface Answer {
  readonly status: number;
  readonly content: string;
  readonly finish: string;
  readonly tokens: number | undefined;
  readonly warning: string | null;
  readonly error: string | undefined;
}

async function ask(server: RunningServer, body: object): Promise<Answer> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: [{ role: 'user', content: 'Write JSON.' }],
      temperature: 1.5,
      max_tokens: 250,
      ...body,
    }),
  });
  const json = (await response.json()) as {
    usage?: { completion_tokens: number };
    choices?: { message: { content: string | null }; finish_reason: string }[];
    error?: { message: string };
  };
  return {
    status: response.status,
    content: json.choices?.[0]?.message.content ?? '',
    finish: json.choices?.[0]?.finish_reason ?? '',
    tokens: json.usage?.completion_tokens,
    warning: response.headers.get('x-serve-model-warning'),
    error: json.error?.message,
  };
}

/** Every API that takes a client's own grammar: what to send, and the text in an answer or a frame. */
const grammarApis: Record<string, (thinking: boolean) => GrammarCall> = {
  'chat completions': (enable_thinking) => ({
    path: '/v1/chat/completions',
    body: { messages: question, chat_template_kwargs: { enable_thinking }, thinking_budget_tokens: 8, max_tokens: 60 },
    textOf: ({ choices }) => choices?.[0]?.delta?.content ?? choices?.[0]?.message?.content ?? '',
  }),
  messages: (isThinking) => ({
    path: '/v1/messages',
    body: {
      messages: question,
      max_tokens: 60,
      thinking: isThinking ? { type: 'enabled', budget_tokens: 8 } : { type: 'disabled' },
    },
    textOf: ({ content, delta }) => {
      if (Array.isArray(content)) return content.map(({ text }) => text ?? '').join('');
      return delta?.text ?? '';
    },
  }),
  completions: () => ({
    path: '/v1/completions',
    body: { prompt: 'Well,', max_tokens: 60 },
    textOf: ({ choices }) => choices?.[0]?.text ?? '',
  }),
  "llama.cpp's completion": () => ({
    path: '/completion',
    body: { prompt: 'Well,', n_predict: 60 },
    textOf: ({ content }) => (typeof content === 'string' ? content : ''),
  }),
};
const question = [{ role: 'user', content: 'Is it so?' }];

interface GrammarCall {
  readonly path: string;
  readonly body: object;
  readonly textOf: (json: AnyAnswer) => string;
}

interface AnyAnswer {
  readonly choices?: readonly {
    readonly text?: string;
    readonly message?: { readonly content: string | null };
    readonly delta?: { readonly content?: string | null };
  }[];
  readonly content?: string | readonly { readonly text?: string }[];
  readonly delta?: { readonly text?: string };
}

const schemaFormat = (schema: JsonValue) => ({ type: 'json_schema', json_schema: { name: 'answer', schema } });

describe.each([
  ['the demo model', demoModelPath],
  ['random weights', undefined],
])('answers of %s', (_, path) => {
  let server: RunningServer;
  let random: ReturnType<typeof writeRandomModel> | undefined;
  beforeAll(async () => {
    random = path === undefined ? writeRandomModel() : undefined;
    server = await startDemoServer(['--ctx-size', '2048', '--parallel', '2'], path ?? random?.path);
  }, 180_000);
  afterAll(async () => {
    await server?.close();
    random?.remove();
  });

  it('fit random schemas at temperature 1.5', { timeout: 240_000 }, async () => {
    const drawn = fc.sample(schemas, { seed: 20_261, numRuns: 30 });
    const ends = { stop: 0, length: 0 };
    for (const [at, { schema }] of drawn.entries()) {
      const made = grammarOf(schema);
      if (!made) continue;
      const thinking = at % 2 === 0;
      const { status, content, finish, error } = await ask(server, {
        response_format: schemaFormat(schema),
        seed: at,
        chat_template_kwargs: { enable_thinking: thinking },
        thinking_budget_tokens: 16,
      });
      expect([schema, status, error]).toEqual([schema, 200, undefined]);
      if (finish === 'length') {
        ends.length++;
        const machine = new GrammarWalker(checkGrammar(made.grammar));
        // The end may be the first bytes of a character.
        const text = content.replace(/\uFFFD+$/, '');
        expect([content, machine.accept(text)]).toEqual([content, true]);
        continue;
      }
      ends.stop++;
      const value: unknown = JSON.parse(content);
      // Bytes that form no character: llama.cpp counts some of them (overlong forms) as one, a decoder as several.
      if (made.loosened.length > 0 || content.includes('\uFFFD')) continue;
      const validate = ajv.compile(Object(schema));
      expect([schema, content, validate(value), validate.errors]).toEqual([schema, content, true, null]);
    }
    // How long noise goes on is the processor's matter.
    if (path !== undefined) expect(ends.stop).toBeGreaterThan(12);
  });

  it('are objects when an object was asked for', async () => {
    const { content, finish } = await ask(server, {
      response_format: { type: 'json_object' },
      chat_template_kwargs: { enable_thinking: false },
      seed: 3,
    });
    if (finish === 'stop') expect(typeof JSON.parse(content)).toBe('object');
    expect(content.startsWith('{')).toBe(true);
  });

  it('end with their grammar, also when end tokens are ignored', async () => {
    const answer = await ask(server, {
      grammar: 'root ::= ("yes" | "no") " "? [0-9]{3}',
      ignore_eos: true,
      chat_template_kwargs: { enable_thinking: false },
    });
    expect(answer.content).toMatch(/^(?:yes|no) ?\d{3}$/);
    expect(answer.finish).toBe('stop');
  });

  it('are texts of a grammar from their first character to their last, whatever the model would begin with', async () => {
    const grammar = 'root ::= "yes" | "no" | "perhaps not"';
    for (const seed of [1, 2, 3, 5]) {
      const thinking = { chat_template_kwargs: { enable_thinking: seed % 2 === 0 }, thinking_budget_tokens: 16 };
      const { content, finish } = await ask(server, { grammar, seed, ...thinking });
      if (finish === 'stop') expect(content).toMatch(/^(?:yes|no|perhaps not)$/);
    }
  });

  it.each(Object.entries(grammarApis))(
    'of %s keep the blanks that their grammar begins and ends with',
    async (_, api) => {
      const grammar = 'root ::= "\\n\\n  yes \\n" | " no " | "\\t\\nperhaps"';
      const texts = ['\n\n  yes \n', ' no ', '\t\nperhaps'];
      for (const [thinking, stream] of [
        [true, false],
        [true, true],
        [false, false],
        [false, true],
      ] as const) {
        const { path, body, textOf } = api(thinking);
        const response = await fetch(server.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...body, grammar, stream, seed: 7, temperature: 1.5 }),
        });
        expect(response.status).toBe(200);
        const answer = await response.text();
        const parts = stream
          ? [...answer.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => textOf(JSON.parse(json)))
          : [textOf(JSON.parse(answer))];
        expect(texts).toContain(parts.join(''));
      }
    },
  );

  it('are given when their tool has a reference to nothing', async () => {
    const tool = { name: 'weather', parameters: { type: 'object', properties: { city: { $ref: '#/$defs/City' } } } };
    const answer = await ask(server, {
      tools: [{ type: 'function', function: tool }],
      tool_choice: 'required',
      chat_template_kwargs: { enable_thinking: false },
    });
    expect([answer.status, answer.error]).toEqual([200, undefined]);
  });

  it('do not end in free text before a call when end tokens are ignored', async () => {
    const parameters = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const answer = await ask(server, {
      messages: [{ role: 'user', content: 'Say hello.' }],
      tools: [{ type: 'function', function: { name: 'count', strict: true, parameters } }],
      ignore_eos: true,
      max_tokens: 120,
      chat_template_kwargs: { enable_thinking: false },
    });
    expect([answer.finish, answer.tokens]).toEqual(['length', 120]);
  });

  it('are cut with `length` when there are too few tokens', async () => {
    const schema = { type: 'array', items: { type: 'integer', minimum: 1000 }, minItems: 50 };
    const answer = await ask(server, {
      response_format: schemaFormat(schema),
      max_tokens: 12,
      chat_template_kwargs: { enable_thinking: false },
    });
    expect(answer.finish).toBe('length');
    expect(answer.content).toMatch(/^\[/);
  });

  it('come with a warning when a keyword that was only checked afterwards is not kept', async () => {
    const schema = { type: 'array', items: { const: 1 }, minItems: 2, maxItems: 2, uniqueItems: true };
    const answer = await ask(server, {
      response_format: schemaFormat(schema),
      chat_template_kwargs: { enable_thinking: false },
    });
    expect(JSON.parse(answer.content)).toEqual([1, 1]);
    expect(answer.warning).toContain('The answer does not fit the schema: uniqueItems at /.');
  });

  it('are refused with a sentence when they cannot be', async () => {
    const broken = await ask(server, { grammar: 'root ::= "a"\nb ::= [z' });
    expect([broken.status, broken.error]).toEqual([400, expect.stringContaining('line 2, column 7')]);
    const remote = await ask(server, { response_format: schemaFormat({ items: { $ref: 'https://example.com/x' } }) });
    expect([remote.status, remote.error]).toEqual([400, expect.stringContaining('#/items refers to another document')]);
    const list = await ask(server, { grammar: 'root ::= "a" root "b" | [a-z] root "c" | ""' });
    expect([list.status, list.error]).toEqual([400, expect.stringContaining('in more than 100 ways at once')]);
  });
});

function grammarOf(schema: JsonValue) {
  try {
    return schemaToGrammar(schema);
  } catch (error) {
    if (error instanceof ServeError) return undefined;
    throw error;
  }
}
