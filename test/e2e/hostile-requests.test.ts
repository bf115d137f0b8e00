import { request as httpRequest } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';
import type { HostileRequest } from './hostile-requests.ts';
import { hostileRequests } from './hostile-requests.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '1024']);
});
afterAll(() => server.close());

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Without fetch, which would refuse to send half of these. */
function send({ path = '/v1/chat/completions', method = 'POST', headers = {}, body }: HostileRequest) {
  const { port } = new URL(server.url);
  const bytes =
    Buffer.isBuffer(body) || typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', () => resolve({ status: response.statusCode, text }));
    });
    // A server that refuses a large body closes while it is still being sent; the answer has come before.
    outgoing.on('error', (error) => setTimeout(reject, 200, error));
    outgoing.end(bytes);
  });
}

describe('hostile requests', () => {
  it('are more than sixty', () => expect(hostileRequests.length).toBeGreaterThan(60));

  it.each(hostileRequests.map((request) => [request.name, request] as const))('%s', async (_, request) => {
    const { status, text } = await within(request.name, send(request), 20_000);
    expect([status, status === request.status ? '' : text.slice(0, 500)]).toEqual([request.status, '']);
    expect(() => JSON.parse(text)).not.toThrow();
    expect(text).not.toMatch(/node_modules|\.ts:\d|at async/);
  });

  it('leave the streams of others alone, the loop free and the memory flat', async () => {
    const before = process.memoryUsage().heapUsed;
    const stream = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        messages: [{ role: 'user', content: 'Tell me a long story.' }],
        temperature: 0,
        stream: true,
        max_tokens: 300,
      }),
    });
    // The sender lives in this process too: its own share is kept small and done before.
    const ready = hostileRequests.map((request) => ({ ...request, body: bytesOf(request.body) }));
    const small = ready.filter(({ body }) => body.length < 2e6);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    for (const request of small) await within(request.name, send(request), 20_000);
    delay.disable();
    expect(await stream.text()).toContain('data: [DONE]');
    expect(delay.percentile(99) / 1e6).toBeLessThan(50);
    expect((process.memoryUsage().heapUsed - before) / 1024 / 1024).toBeLessThan(200);
  });
});
