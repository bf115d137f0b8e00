import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** A prompt that is read before anything is asked of it, and what it is said to cost then. */
let folder = '';
let server: RunningServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-ahead-'));
  await writeFile(join(folder, 'keys'), 'ann: sk-ann\nbob: sk-bob\n');
  server = await startDemoServer(['--ctx-size', '4096', '--parallel', '2', '--api-key-file', join(folder, 'keys')]);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

function post(path: string, body: object, key = 'ann'): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer sk-${key}` };
  return within(path, fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) }), 30_000);
}

async function json<T>(path: string, body: object, key?: string): Promise<T> {
  const response = await post(path, body, key);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

interface Answer {
  readonly choices: readonly {
    readonly message?: { readonly content: string };
    readonly text?: string;
    readonly finish_reason: string;
  }[];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
  };
}
interface Count {
  readonly input_tokens: number;
  readonly cached_tokens: number;
  readonly first_token_ms: number | null;
}

const chat = '/v1/chat/completions';
const words = (seed: string) => `${`The ${seed} stands on the hill behind the town. `.repeat(30)}Where does it stand?`;
const messages = (text: string) => [{ role: 'user', content: text }];

describe('max_tokens: 0', () => {
  it('reads a chat and writes nothing; what comes next finds it read', async () => {
    const body = { messages: messages(words('mill')), temperature: 0 };
    const read = await json<Answer>(chat, { ...body, max_tokens: 0 });
    expect(read.choices).toMatchObject([{ message: { content: '' }, finish_reason: 'length' }]);
    expect(read.usage).toMatchObject({ completion_tokens: 0 });
    expect(read.usage.prompt_tokens).toBeGreaterThan(250);
    const answer = await json<Answer>(chat, { ...body, max_tokens: 5 });
    expect(answer.usage.prompt_tokens_details.cached_tokens).toBe(answer.usage.prompt_tokens - 1);
    expect(answer.usage.prompt_tokens).toBe(read.usage.prompt_tokens);
    expect(answer.usage.completion_tokens).toBe(5);
  });

  it('as a stream ends with its usage and nothing before it', async () => {
    const body = { messages: messages('Hello!'), max_tokens: 0, stream: true, stream_options: { include_usage: true } };
    const text = await (await post(chat, body)).text();
    expect(text).toMatch(/"finish_reason":"length"/);
    expect(text).toMatch(/"completion_tokens":0/);
    expect(text).not.toMatch(/"content":"[^"]/);
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  it('reads a text for a completion', async () => {
    const prompt = words('tower');
    const read = await json<Answer>('/v1/completions', { prompt, max_tokens: 0 });
    expect(read).toMatchObject({ choices: [{ text: '', finish_reason: 'length' }], usage: { completion_tokens: 0 } });
    const { usage } = await json<Answer>('/v1/completions', { prompt, max_tokens: 1 });
    expect(usage.prompt_tokens_details.cached_tokens).toBe(usage.prompt_tokens - 1);
  });

  it('leaves the slot free, also with tools, a schema and log probabilities', async () => {
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
    for (const more of [
      { tools, tool_choice: 'required' },
      { json_schema: { type: 'object' } },
      { logprobs: true, n: 3 },
    ])
      expect(await json<Answer>(chat, { messages: messages('Hi'), max_tokens: 0, ...more })).toMatchObject({
        usage: { completion_tokens: 0 },
      });
  });
});

describe('what a prompt is said to cost', () => {
  it.each([
    ['/v1/chat/completions', { messages: messages(words('windmill')) }, 'max_tokens'],
    ['/v1/responses', { input: words('lighthouse') }, 'max_output_tokens'],
  ])('at %s is what it costs', async (path, body, limit) => {
    const count = () => json<Count>(`${path}/input_tokens`, body);
    const before = await count();
    expect(before.cached_tokens).toBeLessThan(60);
    await (await post(path, { ...body, [limit]: 16 })).text();
    const after = await count();
    expect(after).toMatchObject({ input_tokens: before.input_tokens, cached_tokens: before.input_tokens - 1 });
    expect(after.first_token_ms).toBeGreaterThan(0);
    expect(after.first_token_ms).toBeLessThan(before.first_token_ms ?? Number.POSITIVE_INFINITY);
    // Another key, and a request that uses nothing, would have to read all of it.
    const other = await json<Count>(`${path}/input_tokens`, body, 'bob');
    expect(other.cached_tokens).toBeLessThan(60);
    const salted = await json<Count>(`${path}/input_tokens`, { ...body, cache_salt: 'x' });
    expect(salted.cached_tokens).toBe(0);
    expect(await json<Count>(`${path}/input_tokens`, { ...body, cache_prompt: false })).toMatchObject({
      cached_tokens: 0,
    });
  });
});
