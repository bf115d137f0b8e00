import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeferred, type Deferred } from '../../src/contract/deferred.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { type HubFixture, startHub } from '../models/hub-fixture.ts';
import { type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

let folder = '';
let hub: HubFixture;
let held: Deferred<void>;
let server: ServeProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-listen-'));
  held = createDeferred();
  hub = await startHub({ 'm-Q8_0.gguf': await readFile(bundledModelPath) }, { held: held.promise });
});
afterEach(async () => {
  server?.child.kill('SIGKILL');
  held.resolve();
  await hub.close();
  await rm(folder, { recursive: true, maxRetries: 3 });
});

/** A server whose model is on a hub that keeps half of it back. */
async function start(flags: readonly string[] = []): Promise<string> {
  const places = ['--models-dir', folder, '--hf-endpoint', hub.endpoint, '--log-level', 'silent'];
  server = startProcess(['hf:owner/repo:Q8_0', ...places, ...flags]);
  return withDeadline('the address', listening(server));
}

/** The address in the line that comes before everything else. */
async function listening({ child, error, exited }: ServeProcess): Promise<string> {
  const ended = exited().then((code) => Promise.reject(new Error(`it ended with ${code}: ${error()}`)));
  ended.catch(() => undefined);
  for (;;) {
    const url = /listening on (\S+),/.exec(error())?.[1];
    if (url !== undefined) return url;
    await Promise.race([new Promise((done) => child.stderr.once('data', done)), ended]);
  }
}

const messages = [{ role: 'user', content: 'Who are you?' }];
const chat = (url: string, more: object = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: JSON.stringify({ messages, temperature: 0, max_tokens: 4, ...more }),
  });

async function untilDownloading(url: string): Promise<unknown> {
  for (;;) {
    const health: unknown = await (await fetch(`${url}/health`)).json();
    if (/"phase":"download","bytes_loaded":[1-9]/.test(JSON.stringify(health))) return health;
  }
}

describe('a server whose model is still being downloaded', () => {
  it('answers from the first moment, tells how far it is, and lets generations wait', async () => {
    const url = await start();
    const status = async (path: string) => (await fetch(url + path)).status;
    expect(await (await fetch(url)).text()).toBe('serve-model is running\n');
    expect(await Promise.all(['/livez', '/readyz', '/health', '/v1/models', '/slots'].map(status))).toEqual([
      200, 503, 503, 503, 503,
    ]);
    const progress = expect.objectContaining({ phase: 'download', bytes_total: expect.any(Number) });
    const events = await fetch(`${url}/api/inference/events`);
    expect(await withDeadline('the download', untilDownloading(url))).toEqual({ status: 'loading model', progress });
    expect(await (await fetch(`${url}/api/inference/load-progress`)).json()).toEqual(progress);

    let answered = 0;
    const wish = fetch(`${url}/api/generate`, { method: 'POST', body: '{"model":"m-Q8_0"}' });
    const waiting = [chat(url), chat(url, { stream: true, return_progress: true })];
    for (const pending of waiting) void pending.then(() => answered++);
    // The second one is told at once that it waits.
    const stream = await withDeadline('the place in the queue', waiting[1] ?? Promise.reject());
    expect(answered).toBe(1);
    const refused = await fetch(`${url}/tokenize`, { method: 'POST', body: '{"content":"a"}' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);

    held.resolve();
    const plain = await withDeadline('the plain answer', waiting[0] ?? Promise.reject());
    expect([plain.status, await plain.json()]).toEqual([200, expect.objectContaining({ model: 'm-Q8_0' })]);
    expect((await withDeadline('a call that only wants the model', wish)).status).toBe(200);
    const text = await withDeadline('the stream', stream.text());
    expect(text).toMatch(/"queue":\{"position":[123],"eta_ms":null\}/);
    expect(text).toMatch(/"model":"m-Q8_0"[^\n]*\n\ndata: \[DONE\]\n\n$/);
    expect(await server?.ready()).toBe(url);
    server?.child.kill('SIGTERM');
    const seen = await withDeadline('the events', events.text());
    const phases = ['download', 'load', 'ready'].map((phase) => seen.indexOf(`"phase":"${phase}"`));
    expect(
      phases.every((place, index) => place > (phases[index - 1] ?? -1)),
      seen,
    ).toBe(true);
    expect(await server?.exited()).toBe(0);
  });

  it('refuses those who wait when it is to stop, and does not wait for the download', async () => {
    const url = await start();
    const waiting = chat(url);
    await withDeadline('the request', untilRunning(url));
    server?.child.kill('SIGTERM');
    const response = await withDeadline('the refusal', waiting);
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code: 'draining' } }]);
    expect(await server?.exited()).toBe(0);
  });

  it('ends with its sentence when the download fails, and tells those who wait', async () => {
    hub.trouble = { held: held.promise, wrongSum: true };
    const url = await start();
    const waiting = chat(url);
    await withDeadline('the request', untilRunning(url));
    held.resolve();
    const response = await withDeadline('the refusal', waiting);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { code: 'model_not_loaded', message: expect.stringMatching(/^The model could not be loaded: .*checksum/) },
    });
    expect(await server?.exited()).toBe(1);
    expect(server?.error()).toMatch(/\nserve-model: .*checksum/);
    expect(server?.out()).toBe('');
  });

  it('stays with --stay when it fails, and takes another model by API', async () => {
    hub.trouble = { wrongSum: true };
    const url = await start(['--stay']);
    while (!server?.error().includes('The server stays')) {
      await withDeadline('the sentence', new Promise((done) => server?.child.stderr.once('data', done)));
    }
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'no model loaded' });
    expect((await chat(url)).status).toBe(503);
    const load = await fetch(`${url}/api/inference/load`, {
      method: 'POST',
      body: JSON.stringify({ model_path: bundledModelPath }),
    });
    expect(load.status).toBe(200);
    expect((await chat(url)).status).toBe(200);
    server?.child.kill('SIGTERM');
    expect(await server?.exited()).toBe(0);
  });
});

describe('a model that is on this machine', () => {
  it('is waited for in the same way', async () => {
    server = startProcess(['--log-level', 'silent']);
    const url = await withDeadline('the address', listening(server));
    const response = await withDeadline('the answer', chat(url));
    expect([response.status, await response.json()]).toMatchObject([200, { model: 'serve-model-demo' }]);
  });
});

async function untilRunning(url: string): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${url}/internal/requests`)).text();
    if (text.includes('"phase":"queued"')) return;
  }
}
