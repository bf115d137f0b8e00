import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { GenerationEvent } from '../../src/contract/events.ts';
import { events, finish } from '../dialects/endpoint-answers.ts';
import { sampleAnswers } from '../dialects/sample-answers.ts';
import { newStore } from '../http/responses/support.ts';
import { openDoor, sseData } from '../http/support.ts';

/**
 * Every answer and every frame, written into a program as the value that it is, has to be what the types of the official
 * SDKs say: one that is null where the type says "or absent", or that lacks a member, does not compile.
 */

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, '.cache/official-types');

/** The types of the SDKs speak of what their clients give out; on the wire dates are texts and nothing can be changed. */
const head = `
import type Anthropic from '@anthropic-ai/sdk';
import type * as Ollama from 'ollama';
import type OpenAI from 'openai';

/** Anthropic leaves out citations where there are none; output_text is what OpenAI's client adds itself. */
type LeftOut = 'citations' | 'output_text';
/** Members beside those of the API are extensions of this server. */
type Extended = { readonly [member: string]: unknown };
export type Wire<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null
    ? T
    : T extends Date
    ? string
    : T extends Map<string, infer Value>
      ? Readonly<Record<string, Value>>
      : T extends readonly (infer Entry)[]
        ? readonly Wire<Entry>[]
        : T extends object
          ? { readonly [Key in keyof T as Key extends LeftOut ? never : Key]: Wire<T[Key]> } & Extended
          : T;
/** A chunk is a whole completion by its type, but has no reason before the last one. */
type CompletionChunk = Omit<OpenAI.Completion, 'choices'> & {
  choices: (Omit<OpenAI.CompletionChoice, 'finish_reason'> & { finish_reason: OpenAI.CompletionChoice['finish_reason'] | null })[];
};
/** Members that Ollama leaves out where they are empty, although its types say otherwise. */
type OllamaGenerated = Omit<Ollama.GenerateResponse, 'context'>;
type OllamaShown = Omit<Ollama.ShowResponse, 'license' | 'system' | 'messages'>;
type OllamaListed = { models: Omit<Ollama.ModelResponse, 'expires_at' | 'size_vram'>[] };
type OllamaRunning = { models: Omit<Ollama.ModelResponse, 'modified_at'>[] };
export type Answers = [Anthropic.Message, Ollama.ChatResponse, OpenAI.ChatCompletion, OllamaGenerated, OllamaShown, OllamaListed, OllamaRunning];
`;

interface Sample {
  readonly what: string;
  readonly type: string;
  readonly value: unknown;
}

const hello = [{ role: 'user', content: 'Hi' }];
const input = { type: 'object', properties: {} };

/** A body, the type of its whole answer, that of each frame, and where the last frame has one of its own that. */
const endpoints = {
  '/v1/chat/completions': {
    body: {
      messages: hello,
      tools: [{ type: 'function', function: { name: 'look', parameters: input } }],
      logprobs: true,
      stream_options: { include_usage: true },
    },
    whole: 'OpenAI.ChatCompletion',
    frame: 'OpenAI.ChatCompletionChunk',
  },
  '/v1/completions': { body: { prompt: 'Hi', logprobs: 1 }, whole: 'OpenAI.Completion', frame: 'CompletionChunk' },
  '/v1/responses': {
    body: {
      input: 'Hi',
      tools: [{ type: 'function', name: 'look', parameters: input, strict: false }],
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
    },
    whole: 'OpenAI.Responses.Response',
    frame: 'OpenAI.Responses.ResponseStreamEvent',
  },
  '/v1/messages': {
    body: { messages: hello, tools: [{ name: 'look', input_schema: input }], thinking: { type: 'adaptive' } },
    whole: 'Anthropic.Message',
    frame: 'Anthropic.RawMessageStreamEvent',
  },
  '/api/chat': {
    body: { messages: hello, logprobs: true },
    whole: 'Ollama.ChatResponse',
    frame: "Pick<Ollama.ChatResponse, 'model' | 'created_at' | 'message' | 'done' | 'logprobs'>",
    last: 'Ollama.ChatResponse',
  },
  '/api/generate': {
    body: { prompt: 'Hi' },
    whole: 'OllamaGenerated',
    frame: "Pick<OllamaGenerated, 'model' | 'created_at' | 'response' | 'done' | 'thinking'>",
    last: 'OllamaGenerated',
  },
} as const;

/** Answers that generate nothing. */
const others = [
  ['/v1/models', undefined, '{ object: string; data: OpenAI.Model[] }'],
  ['/v1/models/demo', undefined, 'OpenAI.Model'],
  ['/v1/embeddings', { input: ['a', 'b'] }, 'OpenAI.CreateEmbeddingResponse'],
  ['/v1/responses/input_tokens', { input: 'Hi' }, 'OpenAI.Responses.InputTokenCountResponse'],
  ['/v1/messages/count_tokens', { messages: hello }, 'Anthropic.MessageTokensCount'],
  ['/api/tags', undefined, 'OllamaListed'],
  ['/api/ps', undefined, 'OllamaRunning'],
  ['/api/show', { model: 'demo' }, 'OllamaShown'],
  ['/api/embed', { input: 'a' }, 'Ollama.EmbedResponse'],
  ['/api/embeddings', { prompt: 'a' }, 'Ollama.EmbeddingsResponse'],
  ['/api/version', undefined, 'Ollama.VersionResponse'],
] as const;

async function answersOf(path: keyof typeof endpoints, what: string, said: readonly GenerationEvent[]) {
  const { body, whole, frame, ...more } = endpoints[path];
  const door = openDoor();
  door.generation.script = (run) => run.say(...said);
  const ask = async (stream: boolean) => door.post(path, { ...body, stream });
  const text = await (await ask(true)).text();
  const frames = path.startsWith('/api')
    ? text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    : text.startsWith('event: ')
      ? sseData(text.replaceAll(/^event: .*\n/gm, ''))
      : sseData(text).slice(0, -1);
  const last = 'last' in more ? more.last : frame;
  return [
    { what: `${path}, ${what}`, type: whole, value: await (await ask(false)).json() },
    { what: `${path}, ${what}, streamed`, type: `${parens(frame)}[]`, value: frames.slice(0, -1) },
    { what: `${path}, ${what}, the last frame`, type: last, value: frames.at(-1) },
  ];
}

const parens = (type: string) => (type.startsWith('Pick') ? `(${type})` : type);

/** A search for tools that the client is to make. */
async function searchAnswers(): Promise<Sample[]> {
  const door = openDoor();
  const call = { call: 'tool_search', arguments: ['{"query":', '"crm"}'] };
  door.generation.script = (run) => run.say(...events([call], finish({ reason: 'tool-calls' })));
  const body = { input: 'Hi', tools: [{ type: 'tool_search', execution: 'client' }] };
  const response = await door.post('/v1/responses', body);
  return [{ what: 'a search for tools', type: 'OpenAI.Responses.Response', value: await response.json() }];
}

/** What is kept of a response, and what became of it. */
async function keptAnswers(): Promise<Sample[]> {
  const door = openDoor({ more: { responseStore: await newStore() } });
  const items = [
    { role: 'user', content: 'Hi' },
    { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c', output: 'x' },
  ];
  const created = await door.post('/v1/responses', { input: items, prompt_cache_key: 'k', safety_identifier: 's' });
  const { id } = z.object({ id: z.string() }).parse(await created.json());
  const queued = await door.post('/v1/responses', { input: 'Hi', background: true });
  const get = async (path: string) => (await door.app.request(path)).json();
  return [
    { what: 'a kept response', type: 'OpenAI.Responses.Response', value: await get(`/v1/responses/${id}`) },
    {
      what: 'its input',
      type: 'OpenAI.Responses.ResponseItemList',
      value: await get(`/v1/responses/${id}/input_items`),
    },
    { what: 'a queued response', type: 'OpenAI.Responses.Response', value: await queued.json() },
  ];
}

async function otherAnswers(): Promise<Sample[]> {
  const door = openDoor();
  const asOf = async (headers: Record<string, string>, path: string) =>
    (await door.app.request(path, { headers })).json();
  return [
    ...(await Promise.all(
      others.map(async ([path, body, type]) => ({
        what: path,
        type,
        value: body === undefined ? await asOf({}, path) : await (await door.post(path, body)).json(),
      })),
    )),
    {
      what: '/v1/models/demo for Anthropic',
      type: 'Anthropic.ModelInfo',
      value: await asOf({ 'anthropic-version': '2023-06-01' }, '/v1/models/demo'),
    },
  ];
}

function program(samples: readonly Sample[]): string {
  const checks = samples.map(
    ({ what, type, value }, index) =>
      `// ${what}\nconst value${index} = ${JSON.stringify(value)} as const;\nexport const answer${index}: Wire<${type}> = value${index};\n`,
  );
  return head + checks.join('');
}

it('every answer is what the types of the official SDKs say', async () => {
  const paths = Object.keys(endpoints) as (keyof typeof endpoints)[];
  const generated = await Promise.all(
    paths.flatMap((path) => Object.entries(sampleAnswers).map(([what, said]) => answersOf(path, what, said))),
  );
  const samples = [
    ...generated.flat(),
    ...(await otherAnswers()),
    ...(await keptAnswers()),
    ...(await searchAnswers()),
  ];
  const source = program(samples);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'answers.ts'), source);
  const options = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { lib: ['es2023', 'dom'] },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(named(stdout, source)).toEqual([]);
  expect(samples.length).toBeGreaterThan(100);
});

/** The compiler's complaints with the answer that each is about. */
function named(output: string, source: string): string[] {
  const lines = source.split('\n');
  return output.split('\n').flatMap((line) => {
    const at = /^answers\.ts\((\d+),/.exec(line)?.[1];
    if (at === undefined) return line.includes('error') || /^\s+\S/.test(line) ? [line] : [];
    const above = lines.slice(0, Number(at)).findLast((text) => text.startsWith('// '));
    return [`${above}: ${line}`];
  });
}
