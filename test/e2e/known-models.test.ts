import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { writeTinyBert } from '../support/tiny-bert.ts';

let folder = '';
let server: RunningServer;

/** Two models given at start, one with a name of its own, two of one file name in the folder, and one for vectors. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-known-'));
  for (const path of ['start/B.gguf', 'models/m.gguf', 'models/deep/m.gguf', 'start/named.gguf']) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await copyFile(bundledModelPath, join(folder, path));
  }
  writeTinyBert(join(folder, 'bert.gguf'), { pooling: 'mean' });
  await writeFile(join(folder, 'names.json'), JSON.stringify({ coder: { model: join(folder, 'start/named.gguf') } }));
  server = await startDemoServer([
    ...['--model', join(folder, 'start/B.gguf'), '--models-dir', join(folder, 'models')],
    ...['--models-file', join(folder, 'names.json'), '--embedding-model', join(folder, 'bert.gguf')],
    ...['--ctx-size', '256', '--parallel', '1'],
  ]);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const listBody = z.object({ data: z.array(z.looseObject({ id: z.string(), state: z.string() })) });

async function states(): Promise<Record<string, string>> {
  const { data } = listBody.parse(await (await fetch(`${server.url}/v1/models`)).json());
  expect(new Set(data.map(({ id }) => id)).size).toBe(data.length);
  return Object.fromEntries(data.map(({ id, state }) => [id, state]));
}

async function ask(path: string, body: object) {
  const response = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

const messages = [{ role: 'user', content: 'Hello!' }];
const short = { max_tokens: 1, max_output_tokens: 16, options: { num_predict: 1 } };

describe('the models that a request may name', () => {
  it('are all listed, each name once, with their states', async () => {
    expect(await states()).toEqual({
      'serve-model-demo': 'loaded',
      B: 'not-loaded',
      bert: 'loaded',
      coder: 'not-loaded',
      m: 'not-loaded',
      'deep/m': 'not-loaded',
    });
    const one = await fetch(`${server.url}/v1/models/bert`);
    expect(await one.json()).toMatchObject({ id: 'bert', state: 'loaded' });
  });

  it.each([
    ['/v1/chat/completions', { messages }],
    ['/v1/completions', { prompt: 'Hi' }],
    ['/v1/messages', { messages }],
    ['/v1/responses', { input: 'Hi' }],
    ['/api/chat', { messages, stream: false }],
    ['/api/generate', { prompt: 'Hi', stream: false }],
  ])('are found by the names that the server gives out, at %s', async (path, body) => {
    for (const model of ['B', 'B:latest', 'B.gguf']) {
      const answer = await ask(path, { model, ...body, ...short });
      expect(answer).toMatchObject({ status: 200, body: { model: expect.stringMatching(/^B/) } });
    }
  });

  it('are refused by name where they are there for vectors only', async () => {
    expect(await ask('/v1/chat/completions', { model: 'bert:latest', messages })).toMatchObject({
      status: 400,
      body: { error: { param: 'model', message: expect.stringMatching(/^bert gives embeddings and ranks only/) } },
    });
    expect(await ask('/v1/embeddings', { model: 'B', input: 'a' })).toMatchObject({ body: { model: 'bert' } });
  });

  it('are no longer listed when somebody has unloaded them', async () => {
    expect(await ask('/v1/chat/completions', { model: 'deep/m', messages, ...short })).toMatchObject({
      body: { model: 'deep/m' },
    });
    expect(await states()).toMatchObject({ 'deep/m': 'loaded', B: 'loaded' });
    await ask('/api/inference/unload', { model_path: 'deep/m' });
    const { 'deep/m': gone, ...others } = await states();
    expect(gone).toBeUndefined();
    expect(Object.keys(others)).toHaveLength(5);
  });
});
