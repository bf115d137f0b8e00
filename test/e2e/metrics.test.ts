import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '512', '--parallel', '2']);
});
afterAll(() => server.close());

async function figure(name: string): Promise<number> {
  const page = await (await fetch(`${server.url}/metrics`)).text();
  const line = page.split('\n').find((text) => text.startsWith(`${name} `) || text.startsWith(`${name}{`));
  if (line === undefined) throw new Error(`no ${name} on the page`);
  return Number(line.split(' ').at(-1));
}

const body = { messages: [{ role: 'user', content: 'Tell me a story.' }], temperature: 0, ignore_eos: true };

async function start(maxTokens: number): Promise<Response> {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, max_tokens: maxTokens, stream: true }),
  });
}

describe('/metrics', () => {
  it('shows what gateways decide by, and it moves', async () => {
    expect(await figure('vllm:num_requests_running')).toBe(0);
    const responses = await Promise.all([start(300), start(300)]);
    expect(await figure('vllm:num_requests_running')).toBe(2);
    const waiting = start(1);
    await Promise.all(responses.map((response) => response.text()));
    await (await waiting).text();
    expect(await figure('vllm:num_requests_running')).toBe(0);
    expect(await figure('vllm:num_requests_waiting')).toBe(0);
    expect(await figure('vllm:kv_cache_usage_perc')).toBeGreaterThan(0.25);
    expect(await figure('vllm:prefix_cache_queries_total')).toBeGreaterThan(
      await figure('vllm:prefix_cache_hits_total'),
    );
    expect(await figure('vllm:prefix_cache_hits_total')).toBeGreaterThan(0);
  });

  it('counts tokens and steps truly', async () => {
    const before = await figure('serve_model_output_tokens_total');
    await (await start(7)).text();
    expect((await figure('serve_model_output_tokens_total')) - before).toBe(7);
    expect(await figure('serve_model_decode_tokens_total')).toBeGreaterThan(600);
    expect(await figure('serve_model_slots')).toBe(2);
  });
});

describe('/internal/stats', () => {
  it('shows slots, queue, cache, threads, models and versions', async () => {
    const stats = await (await fetch(`${server.url}/internal/stats`)).json();
    expect(stats).toMatchObject({
      state: 'ready',
      versions: { node: process.version },
      models: [
        {
          id: 'serve-model-demo',
          context_size: 512,
          scheduler: { queued: 0, running: 0 },
          slots: [
            { id: 0, phase: 'idle' },
            { id: 1, phase: 'idle' },
          ],
        },
      ],
    });
  });
});
