import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startProcess, withDeadline } from '../support/serve-process.ts';

const story = (index: number) =>
  JSON.stringify({
    messages: [{ role: 'user', content: `Tell me a long story, number ${index}.` }],
    stream: true,
    ignore_eos: true,
    max_tokens: 80,
  });

async function post(url: string, body: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
}

/** Reads a stream that has begun to its end. */
async function rest(response: Response): Promise<string> {
  expect(response.status).toBe(200);
  return withDeadline('the end of a stream', response.text());
}

describe('a rolling restart', () => {
  it('cuts no stream: 20 clients finish while the server drains, and the next one takes over its port', async () => {
    const first = startProcess(['--parallel', '4', '--drain-timeout', '40s']);
    const url = await first.ready();
    const clients = Array.from({ length: 20 }, (_, index) => post(url, story(index)));
    await withDeadline('all requests in the server', untilRunning(url, clients.length));
    first.child.kill('SIGTERM');

    await withDeadline('draining', untilNotReady(url));
    const refused = await post(url, story(0));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await fetch(`${url}/livez`)).status).toBe(200);

    for (const text of await Promise.all(clients.map(async (client) => rest(await client)))) {
      expect(text).toContain('"finish_reason":"length"');
      expect(text).toMatch(/data: \[DONE\]\n\n$/);
    }
    expect(await first.exited()).toBe(0);

    const second = startProcess(['--port', new URL(url).port]);
    try {
      expect(await second.ready()).toBe(url);
      expect(await rest(await post(url, story(1)))).toMatch(/data: \[DONE\]\n\n$/);
    } finally {
      second.child.kill('SIGTERM');
      expect(await second.exited()).toBe(0);
    }
  }, 120_000);

  it('ends at once at a second signal', async () => {
    const server = startProcess();
    const url = await server.ready();
    const stream = await post(url, story(0));
    server.child.kill('SIGTERM');
    await withDeadline('draining', untilNotReady(url));
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
    await stream.text().catch(() => undefined);
  });
});

async function untilNotReady(url: string): Promise<void> {
  while ((await fetch(`${url}/readyz`)).status !== 503) await new Promise((resolve) => setImmediate(resolve));
}

/** Some run, the others wait for a slot. */
async function untilRunning(url: string, count: number): Promise<void> {
  const answer = z.object({ requests: z.array(z.unknown()) });
  const running = async () => answer.parse(await (await fetch(`${url}/internal/requests`)).json()).requests.length;
  while ((await running()) < count) await new Promise((resolve) => setImmediate(resolve));
}
