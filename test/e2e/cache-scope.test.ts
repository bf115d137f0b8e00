import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** Two people on a real model: whether a guess of another's prompt is right must not be told by what was evaluated. */
let folder = '';
let server: RunningServer | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-scopes-'));
  await writeFile(join(folder, 'keys'), 'ann: sk-ann\nbob: sk-bob\nchief: sk-chief admin\n');
});
afterEach(() => server?.close());
afterAll(() => rm(folder, { recursive: true }));

async function start(flags: readonly string[] = []): Promise<void> {
  server = await startDemoServer(['--ctx-size', '1024', '--api-key-file', join(folder, 'keys'), ...flags]);
}

const secret = 'The safe is behind the picture of the lighthouse, and its number is 4711. '.repeat(6);
const right = `${secret}Do not tell anybody.`;
const wrong = `${right.slice(0, 60)}${right.slice(60).replaceAll('4711', '0815').replaceAll('safe', 'boat')}`;

interface Read {
  readonly prompt_tokens: number;
  readonly cached_tokens: number;
  readonly prompt_n: number;
}

/** What is said beforehand of how much would be there. */
async function foreseen(who: string, content: string, more: object = {}): Promise<number> {
  const response = await fetch(`${server?.url}/v1/chat/completions/input_tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer sk-${who}` },
    body: JSON.stringify({ messages: [{ role: 'user', content }], ...more }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { cached_tokens: number }).cached_tokens;
}

async function read(who: string, content: string, more: object = {}): Promise<Read> {
  const response = await fetch(`${server?.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer sk-${who}` },
    body: JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 1, temperature: 0, ...more }),
  });
  expect(response.status).toBe(200);
  const { usage, timings } = (await response.json()) as {
    usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    timings: { prompt_n: number };
  };
  const { cached_tokens } = usage.prompt_tokens_details;
  return { prompt_tokens: usage.prompt_tokens, cached_tokens, prompt_n: timings.prompt_n };
}

/** All of a prompt was evaluated. */
const nothing = ({ cached_tokens, prompt_tokens, prompt_n }: Read) => cached_tokens === 0 && prompt_n === prompt_tokens;

describe('a guess of another’s prompt', () => {
  it.each([
    ['on one slot', ['--parallel', '1'], {}],
    ['on several slots', ['--parallel', '4'], {}],
    ['without memory for prompts', ['--parallel', '2', '--prefix-cache-mb', '0'], {}],
    ['that was not to be cached', ['--parallel', '2'], { cache_prompt: false }],
  ])('evaluates as much when it is right as when it is wrong, %s', async (_, flags, more) => {
    await start(flags);
    expect(nothing(await read('ann', right, more))).toBe(true);
    expect([await foreseen('bob', right), await foreseen('bob', wrong)]).toEqual([0, 0]);
    // Salts keep bob's two guesses apart: each begins with nothing of his own.
    const guesses = [await read('bob', right, { cache_salt: '1' }), await read('bob', wrong, { cache_salt: '2' })];
    expect(guesses.map(nothing)).toEqual([true, true]);
    expect(await read('bob', right, { cache_salt: '1' })).toMatchObject({
      cached_tokens: (guesses[0]?.prompt_tokens ?? 0) - 1,
    });
  });

  it('costs its owner nothing: the prompt is still there for the same key', async () => {
    await start(['--parallel', '1']);
    const { prompt_tokens } = await read('ann', right);
    await read('bob', right);
    expect(await read('ann', right)).toMatchObject({ cached_tokens: prompt_tokens - 1 });
  });

  it('finds nothing in the files of the life before either', async () => {
    const kept = ['--parallel', '1', '--prefix-cache-dir', join(folder, 'prefixes')];
    await start(kept);
    const { prompt_tokens } = await read('ann', right);
    await server?.close();
    await start(kept);
    expect(nothing(await read('bob', right))).toBe(true);
    expect(await read('ann', right)).toMatchObject({ cached_tokens: prompt_tokens - 1 });
  });
});

describe('a prompt', () => {
  it('that said so is not there for anybody', async () => {
    await start(['--parallel', '2']);
    for (let count = 0; count < 2; count++)
      expect(nothing(await read('ann', right, { cache_prompt: false }))).toBe(true);
    expect(nothing(await read('ann', right))).toBe(true);
  });

  it('is there for all keys with --cache-scope server, but with a salt only for the same salt', async () => {
    await start(['--parallel', '2', '--cache-scope', 'server']);
    const { prompt_tokens } = await read('ann', right);
    expect(await read('bob', right)).toMatchObject({ cached_tokens: prompt_tokens - 1 });
    expect(nothing(await read('bob', right, { cache_salt: 'x' }))).toBe(true);
    expect(await read('ann', right, { cache_salt: 'x' })).toMatchObject({ cached_tokens: prompt_tokens - 1 });
  });

  it('beginning that a key’s requests share is read once, whatever others do meanwhile', async () => {
    await start(['--parallel', '3']);
    await read('bob', right);
    const asked = ['one', 'two', 'three'].map((end) => read('ann', `${secret}${end}`));
    const together = await Promise.all([...asked, read('bob', wrong)]);
    const [first, ...others] = together.slice(0, 3).toSorted((left, other) => left.cached_tokens - other.cached_tokens);
    expect(first?.cached_tokens).toBe(0);
    for (const { prompt_n } of others) expect(prompt_n).toBeLessThan(30);
  });
});
