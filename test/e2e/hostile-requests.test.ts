import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { type ServeProcess, startProcess } from '../support/serve-process.ts';
import { harmlessImage, hostileImages } from './hostile-images.ts';
import type { HostileRequest } from './hostile-requests.ts';
import { hostileRequests } from './hostile-requests.ts';

/** A process of its own: what the senders take is not counted as the server's. */
let server: ServeProcess;
let url: string;
beforeAll(async () => {
  server = startProcess();
  url = await server.ready();
}, 120_000);
afterAll(async () => {
  server.child.kill('SIGTERM');
  expect(await server.exited()).toBe(0);
});

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Without fetch, which would refuse to send half of these. */
function send({ path = '/v1/chat/completions', method = 'POST', headers = {}, body }: HostileRequest, address = url) {
  const { port } = new URL(address);
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
    outgoing.on('error', reject);
    outgoing.end(bytesOf(body));
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

  it('leave the streams of others alone and the memory flat', async () => {
    const before = residentBytes(server.child.pid);
    await besideStreams(async () => {
      for (const request of hostileRequests) await within(request.name, send(request), 20_000);
    });
    const page = await (await fetch(`${url}/metrics`)).text();
    expect(figure(page, 'vllm:num_requests_running{model_name="serve-model-demo"}')).toBe(0);
    // All of them were there before: a second round finds the room that the first one has left, or it would be kept.
    const sent = hostileRequests.reduce((sum, { body }) => sum + bytesOf(body).length, 0);
    expect(residentBytes(server.child.pid) - before).toBeLessThan(sent);
  }, 120_000);

  it('with images leave the streams of others alone, and as much memory as before in every process', async () => {
    const round = async () => {
      for (const request of hostileImages) {
        const { status } = await within(request.name, send(request), 20_000);
        expect([request.name, status]).toEqual([request.name, 400]);
      }
    };
    expect((await within('an image', send(harmlessImage), 20_000)).status).toBe(200);
    await besideStreams(round);
    const before = residentBytes(server.child.pid);
    await besideStreams(async () => {
      for (let rounds = 0; rounds < 8; rounds++) await round();
    });
    if (process.platform !== 'linux') return;
    expect(residentBytes(server.child.pid) / before).toBeLessThan(1.15);
    // The most that those who read images and templates ever had: a bomb that goes off is 300 MB and its copies.
    expect(peakOfChildren(server.child.pid) / before).toBeLessThan(1);
    expect((await within('an image', send(harmlessImage), 20_000)).status).toBe(200);
  }, 120_000);

  // A body of many megabytes takes as long as V8 parses it: this is about all that is smaller.
  it('leave the loop free', async () => {
    const embedded = await startDemoServer(['--ctx-size', '1024']);
    // The sender lives in the measured process: its own share is kept small and done before.
    const ready = hostileRequests.map((request) => ({ ...request, body: bytesOf(request.body) }));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    let before = timeOfThread();
    try {
      const beside = stream(embedded.url);
      before = timeOfThread();
      delay.enable();
      for (const request of ready.filter(({ body }) => body.length < 2e6))
        await within(request.name, send(request, embedded.url), 20_000);
      delay.disable();
      await beside;
    } finally {
      await embedded.close();
    }
    const waited = timeOfThread().map((nanoseconds, index) => nanoseconds - (before[index] ?? 0));
    expect(delay.percentile(99) / 1e6).toBeLessThan(50 * slowdown(waited));
  });
});

/** Two others have one answer after the other meanwhile, each of them whole. */
async function besideStreams(work: () => Promise<void>): Promise<void> {
  let over = false;
  const others = Array.from({ length: 2 }, async () => {
    let streams = 0;
    for (; !over; streams++) await stream(url);
    return streams;
  });
  try {
    await work();
  } finally {
    over = true;
  }
  for (const streams of await Promise.all(others)) expect(streams).toBeGreaterThan(0);
}

/** Somebody else's answer, which must come whole. */
async function stream(address = url): Promise<void> {
  const response = await fetch(`${address}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      messages: [{ role: 'user', content: 'Tell me a long story.' }],
      stream: true,
      stream_options: { include_usage: true },
      ignore_eos: true,
      max_tokens: 200,
    }),
  });
  const text = await within('a stream beside hostile requests', response.text(), 30_000);
  expect(text).toContain('"completion_tokens":200');
  expect(text).toMatch(/data: \[DONE\]\n\n$/);
}

/** Nanoseconds that this thread ran and that it waited for a core; empty where the system does not tell. */
function timeOfThread(): number[] {
  if (process.platform !== 'linux') return [];
  return readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').slice(0, 2).map(Number);
}

/** How many times as long everything takes because others use the cores: 1 on a quiet machine. */
function slowdown([ran = 1, waited = 0]: readonly number[]): number {
  return (ran + waited) / ran;
}

function figure(page: string, name: string): number {
  const line = page.split('\n').find((row) => row.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

/** 0 where the system does not tell. */
function residentBytes(pid: number | undefined): number {
  return process.platform === 'linux' ? bytesInStatus(pid, 'VmRSS') : 0;
}

/** The most that each process that it started has ever had, in all. */
function peakOfChildren(pid: number | undefined): number {
  if (process.platform !== 'linux') return 0;
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  expect(children.length).toBeGreaterThan(0);
  return children.reduce((sum, child) => sum + bytesInStatus(child, 'VmHWM'), 0);
}

function bytesInStatus(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number {
  const [, kilobytes] = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
