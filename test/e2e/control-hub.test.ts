import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProgressAnswer, progressAnswer, validateAnswer } from '../../src/dialects/control/answers.ts';
import { hubRepositoryAnswer, hubSearchAnswer } from '../../src/dialects/hub/answers.ts';
import type { RunningServer } from '../../src/main.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { type HubFixture, startHub } from '../models/hub-fixture.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { withDeadline } from '../support/serve-process.ts';

let folder = '';
let hub: HubFixture;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-control-hub-'));
  const bytes = new Uint8Array(await readFile(bundledModelPath));
  const projector = new Uint8Array(await readFile(bundledModelPath.replace('.gguf', '-mmproj.gguf')));
  hub = await startHub({
    'tiny-Q8_0.gguf': bytes,
    'other-Q4_0.gguf': bytes,
    'third-Q5_0.gguf': bytes,
    'mmproj-tiny-F16.gguf': projector,
  });
  const flags = ['--models-dir', folder, '--hf-endpoint', hub.endpoint, '--ctx-size', '256', '--parallel', '1'];
  server = await startDemoServer([...flags, '--no-mmproj']);
});
afterAll(async () => {
  await server.close();
  await hub.close();
  await rm(folder, { recursive: true, maxRetries: 3 });
});

async function post(path: string, body: object, signal?: AbortSignal) {
  const response = await fetch(`${server.url}/api/inference/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  return { status: response.status, body: await response.json() };
}

const progress = async () =>
  progressAnswer.parse(await (await fetch(`${server.url}/api/inference/load-progress`)).json());

/** Looks until it holds; the server's own progress is the only clock. */
async function until(label: string, holds: () => Promise<boolean>): Promise<void> {
  const look = async () => {
    while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
  };
  await withDeadline(label, look());
}

async function files(): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith('.gguf') && !name.startsWith('.'));
}

describe('the hub', () => {
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/api/hub/${path}`, { headers });
    return { status: response.status, body: await response.json() };
  };

  it('is searched for what can be loaded', async () => {
    const { status, body } = await get('search?q=tiny%20model&limit=5');
    expect([status, hubSearchAnswer.parse(body)]).toEqual([
      200,
      {
        models: [
          { id: 'owner/repo', downloads: 1200, likes: 7, updated: '2026-01-02T03:04:05.000Z', gated: false },
          { id: 'owner/gated', downloads: null, likes: null, updated: null, gated: true },
        ],
      },
    ]);
    expect(hub.requests.at(-1)).toBe(
      'GET /api/models?search=tiny+model&filter=gguf&sort=downloads&direction=-1&limit=5',
    );
  });

  it('tells what a repository holds, what it takes and whether it fits', async () => {
    const { status, body } = await get('repos/owner/repo');
    const { quantizations, memory, id } = hubRepositoryAnswer.parse(body);
    expect([status, id]).toEqual([200, 'owner/repo']);
    expect(memory.ram_bytes).toBeGreaterThan(0);
    expect(quantizations.map(({ model_path }) => model_path).toSorted()).toEqual([
      'hf:owner/repo:Q4_0',
      'hf:owner/repo:Q5_0',
      'hf:owner/repo:Q8_0',
    ]);
    expect(quantizations.filter(({ best }) => best)).toHaveLength(1);
    for (const each of quantizations) {
      expect(each).toMatchObject({ files: 1, size_bytes: 3_313_888, downloaded: false });
      expect(each.required_bytes).toBeGreaterThan(0);
      expect(each.fits).not.toBe('no');
    }
  });

  it.each([
    ['search?limit=0', 400],
    [`search?q=${'x'.repeat(201)}`, 400],
    ['repos/owner/nothing', 404],
    ['repos/..%2f..%2f/x', 404],
    ['repos/owner/a%3fb', 404],
    ['repos/owner/..', 404],
  ])('answers %s with %i', async (path, status) => {
    const asked = hub.requests.length;
    expect((await get(path)).status).toBe(status);
    const urls = hub.requests.slice(asked);
    expect(urls.filter((url) => !url.includes('/api/models/owner/nothing/'))).toEqual([]);
  });

  it('is no business of other pages on this machine', async () => {
    expect((await get('search?q=x', { origin: 'http://localhost:3000' })).status).toBe(403);
  });
});

describe('loading from the hub', () => {
  it('weighs a model without downloading it', async () => {
    const { body } = await post('validate', { model_path: 'owner/repo', gguf_variant: 'Q8_0' });
    expect(validateAnswer.parse(body)).toMatchObject({
      valid: true,
      fits: true,
      identifier: 'hf:owner/repo:Q8_0',
      size_bytes: 3_313_888,
    });
    expect(await files()).toEqual([]);
  });

  it('downloads, loads and serves it, and shows how far it is', async () => {
    hub.trouble = { slow: 200_000 };
    const loading = post('load', { model_path: 'owner/repo', gguf_variant: 'q8_0' });
    const isHalf = ({ phase, fraction }: ProgressAnswer) => phase === 'download' && fraction > 0.5;
    await until('half of the download', async () => {
      const told = await progress();
      if (isHalf(told)) expect(told).toMatchObject({ bytes_total: 3_313_888 });
      return isHalf(told);
    });
    expect(await loading).toMatchObject({ status: 200, body: { status: 'loaded', model: 'tiny-Q8_0' } });
    // Without the projector of its repository: no model is to see.
    expect(await files()).toEqual([join('owner', 'repo', 'tiny-Q8_0.gguf')]);
    const { quantizations } = hubRepositoryAnswer.parse(
      await (await fetch(`${server.url}/api/hub/repos/owner/repo`)).json(),
    );
    const there = quantizations.filter(({ downloaded }) => downloaded);
    expect(there.map(({ model_path }) => model_path)).toEqual(['hf:owner/repo:Q8_0']);
    hub.trouble = {};
    expect(await post('load', { model_path: 'owner/repo:Q8_0' })).toMatchObject({ body: { status: 'already_loaded' } });
    expect(await post('unload', { model_path: 'owner/repo:Q8_0' })).toMatchObject({ body: { status: 'unloaded' } });
  });

  it.each<[string, (stop: AbortController) => Promise<unknown>]>([
    ['by unloading it', () => post('unload', { model_path: 'owner/repo:Q4_0' })],
    ['by leaving', async (stop) => stop.abort()],
  ])('is cancelled %s, with nothing left behind', async (_, cancel) => {
    hub.trouble = { slow: 50_000 };
    const stop = new AbortController();
    const loading = post('load', { model_path: 'owner/repo:Q4_0' }, stop.signal).catch(() => ({ status: 0 }));
    await until('the start of the download', async () => (await progress()).fraction > 0.1);
    await cancel(stop);
    expect((await withDeadline('the load', loading)).status).not.toBe(200);
    await until('no progress', async () => (await progress()).phase === null);
    expect(await files()).not.toContain(join('owner', 'repo', 'other-Q4_0.gguf'));
  });

  it.each([
    ['an unknown repository', { model_path: 'owner/nothing' }, 404, /There is no owner\/nothing on/],
    ['an unknown quantization', { model_path: 'owner/repo:Q2_K' }, 404, /holds no Q2_K\. It has/],
  ])('explains %s', async (_, body, status, sentence) => {
    hub.trouble = {};
    expect(await post('load', body)).toMatchObject({
      status,
      body: { error: { message: expect.stringMatching(sentence) } },
    });
  });

  it('explains a repository that needs a token', async () => {
    hub.trouble = { token: 'secret' };
    const refused = await post('load', { model_path: 'owner/repo:Q5_0' });
    expect(refused).toMatchObject({ status: 400, body: { error: { message: expect.stringMatching(/--hf-token/) } } });
    expect(await post('load', { model_path: 'owner/repo:Q5_0', hf_token: 'secret' })).toMatchObject({ status: 200 });
  });

  it('says that a context is too large for the memory, and goes on serving', async () => {
    const huge = await post('load', { model_path: 'third-Q5_0', max_seq_length: 2_000_000_000, parallel: 4 });
    expect(huge).toMatchObject({ status: 503, body: { error: { code: 'insufficient_memory' } } });
    expect(await post('load', { model_path: 'third-Q5_0' })).toMatchObject({ status: 200 });
  });
});
