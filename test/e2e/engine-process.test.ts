import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { hugePageVariables } from '../../src/models/huge-pages.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { isAlive, untilGone, variableOf } from '../support/process-alive.ts';
import { type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

const demo = 'serve-model-demo';

const post = (url: string, path: string, body: object) =>
  fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });

async function answer(url: string, model?: string): Promise<{ status: number; text: string }> {
  const body = { model, messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0 };
  const response = await withDeadline('an answer', post(url, '/v1/chat/completions', body));
  return { status: response.status, text: await response.text() };
}

/** An answer whose beginning has come. */
interface Begun {
  readonly rest: Promise<string>;
}

async function begin(url: string, path: string, body: object): Promise<Begun> {
  const messages = [{ role: 'user', content: 'Tell me a long story.' }];
  const response = await withDeadline('headers', post(url, path, { messages, stream: true, ...body }));
  expect(response.status).toBe(200);
  const reader = response.body?.getReader();
  let text = '';
  const read = async () => {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    text += Buffer.from(value ?? []).toString();
    return !done;
  };
  await withDeadline('the first bytes', read());
  const all = async () => {
    while (await read());
    return text;
  };
  return { rest: withDeadline('the end of a stream', all()) };
}

const long = { max_tokens: 800, ignore_eos: true };

/** One stream in each of three dialects. */
const threeStreams = (url: string, model?: string) =>
  Promise.all([
    begin(url, '/v1/chat/completions', { ...long, model }),
    begin(url, '/v1/messages', { ...long, model }),
    begin(url, '/api/chat', { model: model ?? 'any', options: { num_predict: 800, ignore_eos: true } }),
  ]);

async function expectErrors(streams: readonly Begun[]): Promise<void> {
  const [chat, anthropic, ollama] = await Promise.all(streams.map(({ rest }) => rest));
  expect(chat).toMatch(/data: \{"error":\{"message":"The process of the model ended[^\n]*\n\ndata: \[DONE\]\n\n$/);
  expect(anthropic).toMatch(/event: error\ndata: \{"type":"error","error":\{"type":"api_error"[^\n]*\n\n$/);
  expect(ollama).toMatch(/\n\{"error":"The process of the model ended[^\n]*\}\n$/);
}

async function processes(url: string): Promise<Map<string, number>> {
  const stats: { models: { id: string; process_id: number }[] } = JSON.parse(
    await (await fetch(`${url}/internal/stats`)).text(),
  );
  return new Map(stats.models.map(({ id, process_id }) => [id, process_id]));
}

async function onlyProcess(url: string): Promise<number> {
  const [pid] = (await processes(url)).values();
  return pid ?? -1;
}

async function untilReadyz(url: string, status: number): Promise<void> {
  while ((await fetch(`${url}/readyz`)).status !== status) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function stop({ child, exited }: ServeProcess): Promise<void> {
  child.kill('SIGTERM');
  expect(await exited()).toBe(0);
}

describe('--engine-process with one model', () => {
  let server: ServeProcess;
  let url: string;
  beforeAll(async () => {
    server = startProcess(['--engine-process', '--parallel', '4']);
    url = await server.ready();
  }, 60_000);
  afterAll(() => stop(server));

  it('answers as without', async () => {
    expect(await answer(url)).toMatchObject({ status: 200, text: expect.stringContaining('tiny demo model') });
    const embedded = await post(url, '/v1/embeddings', { input: 'Hello' });
    expect(await embedded.text()).toMatch(/"embedding":\[-?\d/);
  });

  it.runIf(process.platform === 'linux')('asks for huge pages, on every Node.js', async () => {
    const wanted = hugePageVariables(process.env)?.GLIBC_TUNABLES ?? process.env.GLIBC_TUNABLES;
    expect(variableOf(await onlyProcess(url), 'GLIBC_TUNABLES')).toBe(wanted);
  });

  it('outlives kill -9 of the engine: streams end in their own words, the model comes back', async () => {
    const before = await answer(url);
    const pid = await onlyProcess(url);
    expect([pid === server.child.pid, isAlive(pid)]).toEqual([false, true]);
    const streams = await threeStreams(url);
    process.kill(pid, 'SIGKILL');
    await withDeadline('not ready', untilReadyz(url, 503));
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
    await expectErrors(streams);
    await withDeadline('ready again', untilReadyz(url, 200));
    const next = await onlyProcess(url);
    expect([next === pid, isAlive(next), isAlive(pid)]).toEqual([false, true, false]);
    expect(textOf(await answer(url))).toBe(textOf(before));
  });

  it('does not load by itself again at once after a second kill, but for the next request', async () => {
    const before = await answer(url);
    const streams = await threeStreams(url);
    process.kill(await onlyProcess(url), 'SIGKILL');
    await expectErrors(streams);
    const probe = await fetch(`${url}/readyz`);
    expect([probe.status, await probe.text()]).toEqual([503, '{"status":"no model loaded"}']);
    expect(textOf(await answer(url))).toBe(textOf(before));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('leaves a request that waits for a slot with an error and a status', async () => {
    const streams = await Promise.all([...Array(4)].map(() => begin(url, '/v1/chat/completions', long)));
    const waiting = post(url, '/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] });
    process.kill(await onlyProcess(url), 'SIGKILL');
    const response = await withDeadline('the waiting one', waiting);
    expect([500, 503]).toContain(response.status);
    expect(await response.text()).toContain('"error":{');
    for (const text of await Promise.all(streams.map(({ rest }) => rest))) expect(text).toContain('"error":{');
    expect((await answer(url)).status).toBe(200);
  });
});

function textOf({ text }: { text: string }): string {
  return JSON.parse(text).choices[0].message.content;
}

describe('--engine-process with two models', () => {
  it('keeps one undisturbed by the death of the other, and leaves no process behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'serve-model-two-'));
    await copyFile(demoModelPath, join(folder, 'two.gguf'));
    const server = startProcess(['--engine-process', '--models-dir', folder]);
    onTestFinished(async () => {
      server.child.kill('SIGKILL');
      await rm(folder, { recursive: true });
    });
    const url = await server.ready();
    expect((await answer(url, 'two')).status).toBe(200);
    const found = await processes(url);
    const [one, two] = [found.get(demo) ?? -1, found.get('two') ?? -1];

    const neighbour = await begin(url, '/v1/chat/completions', { ...long, model: 'two' });
    const streams = await threeStreams(url, demo);
    process.kill(one, 'SIGKILL');
    await expectErrors(streams);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await neighbour.rest).toMatch(/"finish_reason":"length"[\s\S]*data: \[DONE\]\n\n$/);
    await withDeadline('both again', untilLoaded(url, 2));
    expect((await answer(url, demo)).status).toBe(200);
    const again = (await processes(url)).get(demo) ?? -1;

    expect((await post(url, '/api/inference/unload', { model_path: 'two' })).status).toBe(200);
    expect([isAlive(one), isAlive(two), isAlive(again)]).toEqual([false, false, true]);
    await stop(server);
    expect(isAlive(again)).toBe(false);
  }, 120_000);

  it('ends with its parent, however that ends, and not with the terminal', async () => {
    const server = startProcess(['--engine-process']);
    onTestFinished(() => void server.child.kill('SIGKILL'));
    const url = await server.ready();
    const pid = await onlyProcess(url);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    expect((await answer(url)).status).toBe(200);
    expect(await onlyProcess(url)).toBe(pid);
    server.child.kill('SIGKILL');
    await server.exited();
    await withDeadline('the end of the engine', untilGone(pid));
  });
});

async function untilLoaded(url: string, models: number): Promise<void> {
  while ((await processes(url)).size < models) await new Promise((resolve) => setTimeout(resolve, 20));
}
