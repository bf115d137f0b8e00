import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { reading, within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** Two people on a real model: one has 40 requests waiting, the other one. */
let folder = '';
let flags: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-fair-'));
  await writeFile(join(folder, 'keys'), 'ann: sk-ann\nbob: sk-bob\nchief: sk-chief admin\n');
  const limits = ['--ctx-size', '1024', '--parallel', '2', '--max-queue', '100', '--max-in-flight', '42'];
  flags = ['--api-key-file', join(folder, 'keys'), '--response-store', join(folder, 'kept'), ...limits];
});
afterAll(() => rm(folder, { recursive: true }));

function ask(server: RunningServer, who: string, path: string, body?: object): Promise<Response> {
  return fetch(server.url + path, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', authorization: `Bearer sk-${who}` },
    ...(body && { body: JSON.stringify(body) }),
  });
}

const tokens = 60;
const chat = (content: string) => ({
  messages: [{ role: 'user', content }],
  max_tokens: tokens,
  temperature: 0,
  ignore_eos: true,
});

/** So many have come, those that are over included. */
async function areIn(server: RunningServer, count: number, over: () => number): Promise<void> {
  for (;;) {
    const response = await ask(server, 'chief', '/internal/requests');
    const { requests } = (await response.json()) as { requests: unknown[] };
    if (requests.length + over() >= count) return;
  }
}

interface Usage {
  readonly key: string;
  readonly requests: number;
  readonly completion_tokens: number;
}

describe('a key with 40 requests waiting', () => {
  it('does not starve another, and what both used is kept over a restart', async () => {
    const server = await startDemoServer(flags);
    let over = 0;
    const all = Array.from({ length: 42 }, async (_, index) => {
      const response = await ask(server, 'ann', '/v1/chat/completions', chat(`Count to ${index}.`));
      await response.text();
      over++;
      return response.status;
    });
    await within(
      'all of ann’s',
      areIn(server, 42, () => over),
      30_000,
    );
    const before = over;
    const response = await ask(server, 'bob', '/v1/chat/completions', { ...chat('Hello!'), stream: true });
    // Beyond --max-in-flight, too: every other key has one place.
    expect(response.status).toBe(200);
    await reading(response.clone())('"content":"');
    // Those that ran already, and one for each slot that became free until it was bob's turn.
    expect(over - before).toBeLessThanOrEqual(4);
    await response.text();
    expect(await Promise.all(all)).toEqual(Array(42).fill(200));

    const usage = async (at: RunningServer) =>
      ((await (await ask(at, 'chief', '/internal/usage')).json()) as { keys: Usage[] }).keys;
    const used = await usage(server);
    expect(used).toMatchObject([
      { key: 'ann', requests: 42, completion_tokens: 42 * tokens },
      { key: 'bob', requests: 1, completion_tokens: tokens },
    ]);
    await server.close();
    const again = await startDemoServer(flags);
    expect(await usage(again)).toEqual(used);
    await again.close();
  });

  it.each([
    ['/v1/embeddings', { input: [Array(250).fill(100)] }, { input: 'Hello!' }],
    ['/api/embed', { input: 'Hello, '.repeat(60) }, { input: 'Hello!' }],
  ])('does not starve another at %s', async (path, long, short) => {
    const server = await startDemoServer(flags);
    let over = 0;
    const all = Array.from({ length: 40 }, async () => {
      const response = await ask(server, 'ann', path, long);
      await response.text();
      over++;
      return response.status;
    });
    await within(
      'all of ann’s',
      areIn(server, 40, () => over),
      30_000,
    );
    const before = over;
    const response = await ask(server, 'bob', path, short);
    expect(response.status).toBe(200);
    await response.text();
    expect(over - before).toBeLessThanOrEqual(4);
    expect(await Promise.all(all)).toEqual(Array(40).fill(200));
    await server.close();
  });
});
