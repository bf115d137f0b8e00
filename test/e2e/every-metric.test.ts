import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { startDemoServer } from '../support/demo-server.ts';

let server: RunningServer;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-metrics-'));
  await copyFile(demoModelPath, join(folder, 'second.gguf'));
  const flags = ['--parallel', '1', '--max-queue', '1', '--ctx-size', '2048'];
  server = await startDemoServer([...flags, '--models-dir', folder]);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Those that need not move here, each with its reason. */
const price =
  'whether a state is kept and brought back hangs on what that costs on the machine, see prefix-sharing.test';
const unmoved: Readonly<Record<string, string>> = {
  serve_model_restored_tokens_total: price,
  serve_model_dropped_tokens_total: price,
};

/** Our own metrics that were above 0 at some scrape; of a histogram its count tells. */
const moved = new Set<string>();

async function page(): Promise<{ readonly text: string; readonly still: readonly string[] }> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const types = [...text.matchAll(/^# TYPE (serve_model_\S+) (\S+)$/gm)];
  const still = types.flatMap(([, name = '', type]) => {
    const sample = type === 'histogram' ? `${name}_count` : name;
    const figures = text.split('\n').filter((line) => line.startsWith(`${sample} `) || line.startsWith(`${sample}{`));
    if (figures.some((line) => Number(line.split(' ').at(-1)) > 0)) moved.add(name);
    return moved.has(name) ? [] : [name];
  });
  return { text, still };
}

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body), ...(signal && { signal }) });
}

function chat(content: string, more: object = {}): Promise<Response> {
  const messages = [{ role: 'user', content }];
  return post('/v1/chat/completions', { messages, temperature: 0, max_tokens: 30, ...more });
}

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    // Held to its schema it could not be malformed.
    strict: false,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

/** The token that closes a call, so likely that it comes within a string: the call is malformed, and mended. */
async function closesTooEarly(): Promise<Record<string, number>> {
  const answer = await post('/tokenize', { content: '}}\n' });
  const { tokens } = z.object({ tokens: z.tuple([z.int()]) }).parse(await answer.json());
  return { [tokens[0]]: 15 };
}

it('moves every metric of the table through the door', async () => {
  expect((await chat('Hello!')).status).toBe(200);
  const streamed = await chat('Tell me a story.', { stream: true, ignore_eos: true, max_tokens: 600 });
  const waiting = chat('Who waits?');
  // One runs, one waits: for a third there is no place.
  await expect.poll(async () => (await page()).text, { timeout: 20_000 }).toMatch(/^serve_model_queue_length\S* 1$/m);
  expect((await chat('Who is refused?')).status).toBe(429);
  await Promise.all([streamed.text(), waiting]);
  const leaver = new AbortController();
  const left = await post(
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: 'Tell me more.' }], stream: true, ignore_eos: true },
    leaver.signal,
  );
  await left.body?.getReader().read();
  leaver.abort();
  const json = { response_format: { type: 'json_object' } };
  for (const question of ['One?', 'Two?']) await (await chat(question, json)).text();
  const called = await chat('What is the weather in Rome?', {
    ...{ tools: [weather], reasoning_effort: 'none', max_tokens: 60, logit_bias: await closesTooEarly() },
  });
  expect(await called.json()).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  expect((await post('/api/inference/load', { model_path: 'second', max_seq_length: 512 })).status).toBe(200);
  expect((await page()).still.filter((name) => !(name in unmoved))).toEqual([]);
});
