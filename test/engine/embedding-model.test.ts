import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { writeTinyBert } from '../support/tiny-bert.ts';

const folder = mkdtempSync(join(tmpdir(), 'serve-model-vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function post(server: RunningServer, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, ...((await response.json()) as object) };
}

describe('a ranking model beside the chat model', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const path = join(folder, 'tiny-ranker.gguf');
    writeTinyBert(path, { pooling: 'rank' });
    server = await startDemoServer(['--embedding-model', path]);
  });
  afterAll(() => server.close());

  it('sorts documents by their score, in both spellings of the path', async () => {
    const body = { model: 'any', query: 'abc', documents: ['hello', { text: 'abc' }, 'zzz'], return_documents: true };
    const [first, second] = await Promise.all(['/v1/rerank', '/rerank'].map((path) => post(server, path, body)));
    expect(first).toMatchObject({ status: 200, model: 'tiny-ranker', usage: { prompt_tokens: expect.any(Number) } });
    const { results } = first as { results: { index: number; relevance_score: number; document: { text: string } }[] };
    expect(results.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    const scores = results.map(({ relevance_score }) => relevance_score);
    expect(scores).toEqual([...scores].sort((left, right) => right - left));
    expect(results.map(({ document }) => document.text).sort()).toEqual(['abc', 'hello', 'zzz']);
    expect((second as { results: unknown }).results).toEqual(results);
  });

  it('says which document is too long', async () => {
    const body = { query: 'abc', documents: ['a', 'b'.repeat(100)] };
    expect(await post(server, '/v1/rerank', body)).toMatchObject({
      status: 400,
      error: { param: 'documents[1]', code: 'context_length_exceeded', tokens: { available: 64 } },
    });
  });

  it('gives no vectors', async () => {
    for (const path of ['/v1/embeddings', '/api/embed'])
      expect(await post(server, path, { model: 'any', input: ['abc', 'hello'] })).toMatchObject({ status: 400 });
    expect(await post(server, '/v1/embeddings', { input: 'abc' })).toMatchObject({
      error: { param: 'model', message: expect.stringContaining('tiny-ranker is a ranking model') },
    });
  });

  it('leaves chatting to the chat model', async () => {
    const body = { messages: [{ role: 'user', content: 'Who are you?' }], max_tokens: 3 };
    expect(await post(server, '/v1/chat/completions', body)).toMatchObject({ status: 200, model: 'serve-model-demo' });
  });
});

describe('an embedding model beside the chat model', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const path = join(folder, 'tiny-vectors.gguf');
    writeTinyBert(path, { pooling: 'mean' });
    server = await startDemoServer(['--embedding-model', path]);
  });
  afterAll(() => server.close());

  it('gives the vectors, whatever the model is called', async () => {
    const answer = await post(server, '/v1/embeddings', { model: 'text-embedding-3-small', input: ['abc', 'abc'] });
    expect(answer).toMatchObject({ status: 200, model: 'tiny-vectors', usage: { prompt_tokens: 10 } });
    const { data } = answer as { data: { embedding: number[] }[] };
    expect(data[0]?.embedding).toHaveLength(32);
    // Inputs of a batch are added up in another order.
    for (const [at, value] of (data[1]?.embedding ?? []).entries()) {
      expect(value).toBeCloseTo(data[0]?.embedding[at] ?? 0, 5);
    }
  });

  it('says that it cannot rank', async () => {
    expect(await post(server, '/v1/rerank', { query: 'a', documents: ['b'] })).toMatchObject({
      status: 400,
      error: { param: 'model', message: expect.stringContaining('tiny-vectors is no ranking model') },
    });
  });
});

describe('a server for embeddings only', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const path = join(folder, 'only-vectors.gguf');
    writeTinyBert(path, { pooling: 'cls' });
    // A BERT model needs no --embeddings: nobody could mean anything else with it.
    server = await startDemoServer(['--ctx-size', '16'], path);
  });
  afterAll(() => server.close());

  it('gives vectors and is ready', async () => {
    expect(await post(server, '/v1/embeddings', { input: 'abc' })).toMatchObject({
      status: 200,
      model: 'only-vectors',
    });
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const { data } = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['only-vectors']);
    expect(await post(server, '/api/show', {})).toMatchObject({ capabilities: ['embedding'] });
  });

  it('takes --ctx-size as the longest input', async () => {
    expect(await post(server, '/v1/embeddings', { input: 'a'.repeat(14) })).toMatchObject({ status: 200 });
    expect(await post(server, '/v1/embeddings', { input: 'a'.repeat(15) })).toMatchObject({
      status: 400,
      error: { tokens: { needed: 17, available: 16 } },
    });
  });

  it.each([
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }],
    ['/v1/completions', { prompt: 'Hi' }],
    ['/tokenize', { content: 'Hi' }],
  ])('says at %s that nothing else is served', async (path, body) => {
    expect(await post(server, path, body)).toMatchObject({
      status: 501,
      error: { message: expect.stringContaining('--embeddings') },
    });
  });
});

it('serves only embeddings from a chat model with --embeddings', async () => {
  const server = await startDemoServer(['--embeddings']);
  expect(await post(server, '/v1/embeddings', { input: 'abc' })).toMatchObject({
    status: 200,
    model: 'serve-model-demo',
  });
  expect(await post(server, '/v1/completions', { prompt: 'Hi' })).toMatchObject({ status: 501 });
  await server.close();
});
