import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** What gateways read from /metrics, with the types that they insist on. */
const gauges = [
  'vllm:num_requests_running',
  'vllm:num_requests_waiting',
  'vllm:kv_cache_usage_perc',
  'vllm:gpu_cache_usage_perc',
  'vllm:gpu_prefix_cache_hit_rate',
  'vllm:cache_config_info',
];
const counters = [
  'vllm:prefix_cache_hits_total',
  'vllm:prefix_cache_queries_total',
  'vllm:gpu_prefix_cache_hits_total',
  'vllm:gpu_prefix_cache_queries_total',
];

let server: RunningServer;
beforeAll(async () => {
  server = await startDemoServer([
    '--ctx-size',
    '1024',
    '--parallel',
    '2',
    '--alias',
    'my-model',
    '--alias',
    'pool/my-model',
  ]);
});
afterAll(() => server.close());

async function scrape(): Promise<string> {
  // No key, and the host name of a pod: as an endpoint picker scrapes.
  const response = await fetch(`${server.url}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
}

async function scrapeUntil(holds: (page: string) => boolean): Promise<string> {
  for (let scrapes = 0; scrapes < 200; scrapes++) {
    const page = await scrape();
    if (holds(page)) return page;
  }
  throw new Error('never seen in 200 scrapes');
}

function value(page: string, name: string): number {
  const line = page.split('\n').find((row) => row.startsWith(`${name}{`) && row.includes('model_name="my-model"'));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

function ask(content: string, maxTokens: number): Promise<Response> {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-session-id': content },
    body: JSON.stringify({
      model: 'pool/my-model',
      messages: [{ role: 'user', content }],
      stream: true,
      ignore_eos: true,
      max_tokens: maxTokens,
    }),
  });
}

describe('a gateway', () => {
  it('finds every metric that it reads, with its type and the name of the model', async () => {
    const page = await scrape();
    for (const name of gauges) expect(page).toContain(`# TYPE ${name} gauge`);
    for (const name of counters) expect(page).toContain(`# TYPE ${name} counter`);
    for (const name of gauges.slice(0, 4)) expect(value(page, name)).toBe(0);
    expect(page).toMatch(/vllm:cache_config_info\{model_name="my-model",block_size="16",num_gpu_blocks="128"\} 1/);
  });

  it('sees the load move while requests run and wait, and be gone afterwards', async () => {
    const streams = Array.from({ length: 4 }, (_, index) => ask(`Tell me story number ${index}.`, 400));
    const running = await Promise.all(streams.slice(0, 2));
    // The first moments have neither two in the queue nor a token in a slot yet.
    const page = await scrapeUntil(
      (seen) => value(seen, 'vllm:num_requests_waiting') === 2 && value(seen, 'vllm:kv_cache_usage_perc') > 0,
    );
    expect(value(page, 'vllm:num_requests_running')).toBe(2);
    expect(value(page, 'vllm:kv_cache_usage_perc')).toBeLessThanOrEqual(1);
    await Promise.all([...running, ...(await Promise.all(streams.slice(2)))].map((response) => response.text()));
    const after = await scrape();
    expect([value(after, 'vllm:num_requests_running'), value(after, 'vllm:num_requests_waiting')]).toEqual([0, 0]);
  });

  it('sees prefixes that were found again', async () => {
    await (await ask('The same question, twice.', 4)).text();
    const before = await scrape();
    await (await ask('The same question, twice.', 4)).text();
    const after = await scrape();
    const moved = (name: string) => value(after, name) - value(before, name);
    expect(moved('vllm:prefix_cache_queries_total')).toBeGreaterThan(5);
    expect(moved('vllm:prefix_cache_hits_total')).toBe(moved('vllm:prefix_cache_queries_total') - 1);
    expect(moved('vllm:gpu_prefix_cache_hits_total')).toBe(moved('vllm:prefix_cache_hits_total'));
  });

  it('finds the model under each of its names', async () => {
    const list: unknown = await (await fetch(`${server.url}/v1/models`)).json();
    expect(list).toMatchObject({
      data: [
        { id: 'my-model', root: 'my-model', parent: null, max_model_len: 1024 },
        { id: 'pool/my-model', root: 'my-model', parent: null, max_model_len: 1024 },
      ],
    });
  });

  it('may scrape as often as it likes: pages do not grow', async () => {
    const lines = async () => (await scrape()).split('\n').length;
    const first = await lines();
    for (let scrapes = 0; scrapes < 20; scrapes++) expect(await lines()).toBeLessThan(first * 1.1);
  });
});
