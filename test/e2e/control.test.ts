import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  loadAnswer,
  modelsAnswer,
  progressAnswer,
  statusAnswer,
  validateAnswer,
} from '../../src/dialects/control/answers.ts';
import type { RunningServer } from '../../src/main.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { withDeadline } from '../support/serve-process.ts';

let folder = '';
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-control-'));
  await mkdir(join(folder, 'owner/repo'), { recursive: true });
  await copyFile(bundledModelPath, join(folder, 'owner/repo/second.gguf'));
  const bytes = await readFile(bundledModelPath);
  await writeFile(join(folder, 'truncated.gguf'), bytes.subarray(0, bytes.length - 1000));
  await writeFile(join(folder, 'page.gguf'), '<html></html>');
  const named = join(folder, 'names.json');
  await writeFile(named, JSON.stringify({ small: { model: join(folder, 'named.gguf'), ctxSize: 256, parallel: 1 } }));
  await copyFile(bundledModelPath, join(folder, 'named.gguf'));
  const flags = ['--models-dir', folder, '--models-file', named, '--ctx-size', '512', '--parallel', '2'];
  server = await startDemoServer(flags);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const key = 'serve-model-demo';
const answerBody = z.looseObject({
  model: z.string().optional(),
  error: z.object({ message: z.string(), code: z.string().nullable(), param: z.string().nullish() }).optional(),
});

const namesBody = z.looseObject({ models: z.array(z.looseObject({ name: z.string() })) });

async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: answerBody.parse(await response.json()) };
}

const post = (path: string, body: object) => call('POST', `/api/inference/${path}`, body);
const get = async (path: string) => (await call('GET', `/api/inference/${path}`)).body;

async function ask(model: string) {
  const messages = [{ role: 'user', content: 'Hello!' }];
  return call('POST', '/v1/chat/completions', { model, messages, temperature: 0, max_tokens: 40 });
}

const progress = async () => progressAnswer.parse(await get('load-progress'));

describe('the control API', () => {
  it('tells what is loaded, with the flags of the active model at the top', async () => {
    const status = statusAnswer.parse(await get('status'));
    expect(status).toMatchObject({
      active_model: key,
      loading: [],
      loaded: [key],
      context_length: 512,
      native_context_length: 4096,
      supports_reasoning: true,
      reasoning_style: 'enable_thinking',
      supports_tools: true,
      is_gguf: true,
      is_vision: true,
      slots: 2,
    });
    expect(status.models).toHaveLength(1);
    expect(status.max_context_length).toBe(4096);
    expect(await progress()).toMatchObject({ phase: 'ready', fraction: 1 });
  });

  it('lists the running model and those of the folder', async () => {
    const { models } = modelsAnswer.parse(await get('models'));
    expect(models).toEqual([
      expect.objectContaining({ id: key, path: expect.stringMatching(/\.gguf$/), loaded: true, source: 'bundled' }),
      expect.objectContaining({ id: 'named', loaded: false, source: 'folder' }),
      expect.objectContaining({
        id: 'owner/repo/second',
        quantization: 'Q8_0',
        family: 'llama',
        context_length: 4096,
        loaded: false,
        source: 'folder',
      }),
    ]);
  });

  it('does nothing when the model is loaded already', async () => {
    const { status, body } = await post('load', { model_path: key, max_seq_length: 0, hf_token: null });
    expect(status).toBe(200);
    expect(loadAnswer.parse(body)).toMatchObject({ status: 'already_loaded', model: key, context_length: 512 });
    expect(await progress()).toMatchObject({ phase: 'ready', fraction: 1, eta_seconds: 0 });
  });

  it('tells whose conversation is on which slot while it runs', async () => {
    const events = await watch();
    const sessions = (told: readonly Told[]) =>
      told.flatMap(({ data }) => (data.slots ? [data.slots.map(({ session_id }) => session_id)] : []));
    const stop = new AbortController();
    await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-session-id': 'thread-7' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], stream: true, ignore_eos: true }),
      signal: stop.signal,
    });
    const told = await events.seen('the session', (all) => sessions(all).some((ids) => ids.includes('thread-7')));
    expect(sessions(told).at(-1)?.toSorted()).toEqual([null, 'thread-7']);
    stop.abort();
    const after = await events.seen('the free slot', (all) => sessions(all).at(-1)?.includes('thread-7') === false);
    expect(sessions(after).at(-1)).toEqual([null, null]);
    events.leave();
  });

  it('takes gpu_ids where there is no choice to make', async () => {
    expect(await post('load', { model_path: key, gpu_ids: [0] })).toMatchObject({ status: 200 });
    expect(await post('load', { model_path: key, gpu_ids: [] })).toMatchObject({ status: 200 });
  });

  it("lists every model that a request may name under Ollama's tags, and what is loaded under ps", async () => {
    await copyFile(bundledModelPath, join(folder, 'fifth.gguf'));
    await mkdir(join(folder, 'other'), { recursive: true });
    await copyFile(bundledModelPath, join(folder, 'other/fifth.gguf'));
    const names = async (path: string) =>
      namesBody.parse((await call('GET', path)).body).models.map(({ name }) => name.replace(/:latest$/, ''));
    expect((await names('/api/tags')).toSorted()).toEqual(['fifth', 'other/fifth', 'second', key, 'small'].toSorted());
    expect(await names('/api/ps')).toEqual([key]);
    expect((await ask('other/fifth')).body.model).toBe('other/fifth');
    await post('unload', { model_path: 'other/fifth' });
    for (const file of ['fifth.gguf', 'other']) await rm(join(folder, file), { recursive: true });
    expect(await names('/api/tags')).not.toContain('fifth');
  });

  it('loads a second model, serves both by name, tells every step, and unloads it', async () => {
    const events = await watch();
    const loaded = await post('load', { model_path: 'owner/repo/second', max_seq_length: 256, parallel: 1 });
    expect(loadAnswer.parse(loaded.body)).toMatchObject({ status: 'loaded', model: 'second', context_length: 256 });
    expect(await progress()).toMatchObject({ phase: 'ready', fraction: 1 });
    const answers = await Promise.all([ask('second'), ask(key), ask('gpt-4o')]);
    expect(answers.map(({ status, body }) => [status, body.model])).toEqual([
      [200, 'second'],
      [200, key],
      // Unknown names go to the model that was loaded last.
      [200, 'second'],
    ]);
    expect(statusAnswer.parse(await get('status'))).toMatchObject({ active_model: 'second', loaded: ['second', key] });
    expect(await post('unload', { model_path: 'owner/repo/second' })).toEqual({
      status: 200,
      body: { status: 'unloaded', model: 'second' },
    });
    const told = await events.until('unloaded');
    checkOrder(told);
    expect(told.filter(({ event }) => event === 'model').map(({ data }) => data.state)).toEqual([
      'loading',
      'ready',
      'draining',
      'unloaded',
    ]);
    expect(await progress()).toMatchObject({ phase: null, fraction: 0 });
    // Unloaded on purpose: naming it does not bring it back.
    expect(await ask('second')).toMatchObject({ status: 503, body: { error: { code: 'model_not_loaded' } } });
  });

  it('unloads nothing for a load that cannot fit, of another model or of a running one', async () => {
    await post('load', { model_path: 'owner/repo/second' });
    await post('load', { model_path: key });
    await copyFile(bundledModelPath, join(folder, 'large.gguf'));
    for (const model_path of ['large', 'second', key]) {
      const { status, body } = await post('load', { model_path, max_seq_length: 1e12 });
      expect([status, body.error?.code]).toEqual([503, 'insufficient_memory']);
      expect(body.error?.message).toMatch(
        / with 2 slots of 1000000000000 tokens needs about \d+ TB, and this machine has /,
      );
      expect(statusAnswer.parse(await get('status')).loaded).toEqual([key, 'second']);
    }
    await rm(join(folder, 'large.gguf'));
    await post('unload', { model_path: 'second' });
  });

  it('loads a model of the folder when a request names it', async () => {
    await post('load', { model_path: key });
    await copyFile(bundledModelPath, join(folder, 'third.gguf'));
    await post('load', { model_path: 'third' });
    expect((await ask('third')).body.model).toBe('third');
    await post('unload', { model_path: 'third' });
  });

  it('loads a model by the name and with the settings that a file gives it', async () => {
    expect((await ask('small')).body.model).toBe('small');
    const { models } = statusAnswer.parse(await get('status'));
    expect(models.find(({ model }) => model === 'small')).toMatchObject({ context_length: 256, slots: 1 });
    expect((await post('load', { model_path: 'small' })).body).toMatchObject({ status: 'already_loaded' });
    await post('unload', { model_path: 'small' });
    await post('load', { model_path: key });
  });

  it('loads anew with other settings', async () => {
    const { body } = await post('load', { model_path: key, max_seq_length: 1024, cache_type_kv: null });
    expect(body).toMatchObject({ status: 'loaded', model: key, context_length: 1024 });
    const quantized = await post('load', { model_path: key, cache_type_kv: 'q8_0' });
    expect(quantized.body).toMatchObject({ status: 'loaded', cache_type_kv: 'q8_0' });
    expect((await ask(key)).status).toBe(200);
    expect((await post('load', { model_path: key })).body).toMatchObject({ status: 'loaded', context_length: 512 });
  });

  it.each<[string, () => object, RegExp]>([
    ['a truncated file', () => ({ model_path: join(folder, 'truncated.gguf') }), /damaged: .* Download it again/],
    ['a file that is no model', () => ({ model_path: join(folder, 'page.gguf') }), /This is no GGUF file/],
    ['a missing file', () => ({ model_path: '/none.gguf' }), /There is no model \/none\.gguf/],
    ['no path', () => ({}), /model_path/],
    ['an adapter', () => ({ model_path: key, is_lora: true }), /LoRA/],
    ['a draft without a model', () => ({ model_path: key, speculative_type: 'draft' }), /draft_model/],
  ])('refuses %s and leaves the running model alone', async (_, body, sentence) => {
    const answer = await post('load', body());
    expect(answer.status).toBe(400);
    expect(answer.body.error?.message).toMatch(sentence);
    // The field at fault, never the path in it.
    expect(['model_path', 'draft_model', 'is_lora']).toContain(answer.body.error?.param);
    expect((await ask(key)).status).toBe(200);
  });

  it('weighs a model without loading it', async () => {
    const verdict = validateAnswer.parse((await post('validate', { model_path: 'owner/repo/second' })).body);
    expect(verdict).toMatchObject({ valid: true, fits: true, size_bytes: 3_313_888, display_name: 'second' });
    const broken = validateAnswer.parse((await post('validate', { model_path: join(folder, 'truncated.gguf') })).body);
    expect(broken).toMatchObject({ valid: false, fits: false, message: expect.stringMatching(/damaged/) });
  });

  it('deletes a model of the folder, not one that is loaded or lies elsewhere', async () => {
    await copyFile(bundledModelPath, join(folder, 'fourth.gguf'));
    await post('load', { model_path: 'fourth' });
    const remove = (id: string) => call('DELETE', `/api/inference/models/${id}`);
    expect(await remove('fourth')).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringMatching(/Unload it first/) } },
    });
    await post('unload', { model_path: 'fourth' });
    expect(await remove('fourth')).toEqual({ status: 200, body: { status: 'deleted', model: 'fourth' } });
    expect(await remove('fourth')).toMatchObject({ status: 404 });
    expect(await remove('..%2F..%2Fetc')).toMatchObject({ status: 404 });
  });

  it('lets a proxied caller load only what lies in the folder', async () => {
    const proxied = { 'x-forwarded-for': '203.0.113.9' };
    const answer = await call('POST', '/api/inference/load', { model_path: bundledModelPath }, proxied);
    expect(answer).toMatchObject({ status: 403 });
  });

  it('is alive but not ready when the last model is gone', async () => {
    await post('unload', { model_path: key });
    const status = async (path: string) => (await fetch(`${server.url}${path}`)).status;
    expect(await Promise.all(['/livez', '/health', '/readyz', '/v1/models'].map(status))).toEqual([200, 503, 503, 200]);
    expect((await call('GET', '/v1/models')).body).toEqual({ object: 'list', data: [] });
    expect(await ask(key)).toMatchObject({ status: 503, body: { error: { code: 'model_not_loaded' } } });
    expect(await get('status')).toMatchObject({ active_model: null, loaded: [], models: [] });
    expect((await post('unload', { model_path: key })).status).toBe(404);
    expect((await post('load', { model_path: key })).body).toMatchObject({ status: 'loaded' });
    expect((await ask(key)).status).toBe(200);
  });
});

interface Told {
  readonly event: string;
  readonly data: {
    readonly model: string;
    readonly state?: string;
    readonly fraction?: number;
    readonly slots?: readonly { readonly state: string; readonly session_id: string | null }[];
  };
}

/** Reads the event stream from now on. */
async function watch() {
  const stop = new AbortController();
  const response = await fetch(`${server.url}/api/inference/events`, { signal: stop.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const told = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((frame) => frame.startsWith('event:'))
      .map((frame): Told => {
        const [event = '', data = ''] = frame.split('\n');
        return { event: event.replace('event: ', ''), data: JSON.parse(data.replace('data: ', '')) };
      });
  const read = async (holds: (told: readonly Told[]) => boolean) => {
    while (!holds(told())) text += (await reader?.read())?.value ?? '';
    return told();
  };
  return {
    seen: (label: string, holds: (told: readonly Told[]) => boolean) => withDeadline(label, read(holds)),
    until: async (state: string) => {
      const holds = (all: readonly Told[]) => all.some(({ data }) => data.state === state);
      const all = await withDeadline(`the state ${state}`, read(holds));
      stop.abort();
      return all;
    },
    leave: () => stop.abort(),
  };
}

/** No `ready` before progress 1, no slots of a model that is not loaded. */
function checkOrder(told: readonly Told[]): void {
  const complete = new Set<string>();
  const ready = new Set<string>([key]);
  for (const { event, data } of told) {
    if (event === 'progress' && data.fraction === 1) complete.add(data.model);
    if (event === 'slots') expect(ready).toContain(data.model);
    if (event !== 'model') continue;
    if (data.state === 'ready') {
      expect(complete).toContain(data.model);
      ready.add(data.model);
    } else {
      ready.delete(data.model);
      complete.delete(data.model);
    }
  }
}
