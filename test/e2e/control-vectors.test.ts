import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { writeTinyBert } from '../support/tiny-bert.ts';

const chat = 'serve-model-demo';
let folder = '';
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-control-vectors-'));
  writeTinyBert(join(folder, 'bert.gguf'), { pooling: 'mean' });
  writeTinyBert(join(folder, 'ranker.gguf'), { pooling: 'rank' });
  server = await startDemoServer(['--models-dir', folder, '--ctx-size', '512', '--parallel', '2']);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function post(path: string, body: object) {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

const control = (path: string, body: object) => post(`/api/inference/${path}`, body);
const status = async () => (await fetch(`${server.url}/api/inference/status`)).json();
const ask = (model: string) =>
  post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 8 });

describe('a model that cannot generate, loaded by the control API', () => {
  it('gives the vectors from then on, and leaves the chat to the others', async () => {
    expect(await post('/v1/embeddings', { input: 'a cat' })).toMatchObject({ body: { model: chat } });
    expect(await control('validate', { model_path: 'bert' })).toMatchObject({ body: { valid: true, fits: true } });
    expect(await control('load', { model_path: 'bert' })).toMatchObject({
      status: 200,
      body: { status: 'loaded', model: 'bert', context_length: 64, supports_tools: false, chat_template: null },
    });
    expect(await status()).toMatchObject({ active_model: chat, loaded: [chat, 'bert'] });
    for (const model of ['bert', chat, 'text-embedding-3-small', undefined]) {
      const { body } = await post('/v1/embeddings', { input: 'a cat', ...(model && { model }) });
      expect(body).toMatchObject({ model: 'bert', data: [{ embedding: { length: 32 } }] });
    }
    expect((await ask('gpt-4o')).body).toMatchObject({ model: chat });
  });

  it.each([
    ['a chat', () => ask('bert')],
    ['a chat with one that is not loaded', () => ask('ranker')],
    ['a tokenization', () => post('/tokenize', { model: 'bert', content: 'a' })],
  ])('refuses %s with it', async (_, request) => {
    const answer = await request();
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { param: 'model', message: expect.stringMatching(/gives embeddings and ranks only/) } },
    });
    expect(await status()).toMatchObject({ loaded: [chat, 'bert'] });
  });

  it('is loaded when a request names it, and ranks where it was made for that', async () => {
    const ranked = await post('/v1/rerank', { model: 'ranker', query: 'a', documents: ['b', 'c'] });
    expect(ranked).toMatchObject({ status: 200, body: { model: 'ranker', results: { length: 2 } } });
    expect(await control('unload', { model_path: 'ranker' })).toMatchObject({ body: { status: 'unloaded' } });
  });

  it('leaves the vectors to the chat model again when it is unloaded', async () => {
    expect(await control('unload', { model_path: 'bert' })).toMatchObject({ body: { status: 'unloaded' } });
    expect(await post('/v1/embeddings', { input: 'a cat' })).toMatchObject({ body: { model: chat } });
    expect(await status()).toMatchObject({ loaded: [chat] });
  });
});
