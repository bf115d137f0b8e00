import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { readGguf } from '../../src/models/gguf.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { writeTinyAdapter } from '../support/tiny-models.ts';

let folder = '';
let server: RunningServer;
/** The demo model, the last of whose norms is no number. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-no-numbers-'));
  const { tensors, dataStart } = await readGguf(bundledModelPath);
  const norm = tensors.find(({ name }) => name === 'output_norm.weight');
  const bytes = await readFile(bundledModelPath);
  for (let at = 0; at < (norm?.bytes ?? 0); at += 4)
    bytes.writeFloatLE(Number.NaN, dataStart + (norm?.offset ?? 0) + at);
  await writeFile(join(folder, 'damaged.gguf'), bytes);
  server = await startDemoServer(['--ctx-size', '512'], join(folder, 'damaged.gguf'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

it.each([
  ['an answer', 'chat/completions', { messages: [{ role: 'user', content: 'Hello' }] }],
  ['a form', 'completions', { prompt: 'Hello', grammar: 'root ::= [a-z]+', max_tokens: 5 }],
  ['the probability of a text', 'completions', { prompt: 'Hello to all', echo: true, max_tokens: 0, logprobs: 2 }],
  ['a vector', 'embeddings', { input: 'Hello' }],
])('weights that give no numbers end %s with a sentence, and nothing is null', async (_, route, body) => {
  const response = await fetch(`${server.url}/v1/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'damaged', ...body }),
  });
  expect([response.status, await response.json()]).toEqual([
    500,
    {
      error: expect.objectContaining({
        code: 'engine_failure',
        message: expect.stringContaining('The model computed values that are no numbers: its file is damaged'),
      }),
    },
  ]);
});

describe('an adapter that gives no numbers', () => {
  const answer = z.object({
    choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]),
    usage: z.object({ prompt_tokens_details: z.object({ cached_tokens: z.number() }) }),
  });
  let folder = '';
  let server: RunningServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-no-numbers-'));
    const adapter = join(folder, 'huge.gguf');
    writeTinyAdapter(adapter, 1, 1e20);
    server = await startDemoServer(['--ctx-size', '512', '--parallel', '2', '--lora', `${adapter}:0`]);
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const post = (body: object) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo', temperature: 0, max_tokens: 24, ...body }),
    });
  const ask = async (id_slot: number) =>
    answer.parse(await (await post({ id_slot, messages: [{ role: 'user', content: 'Hello!' }] })).json());

  it('ends its own request with a sentence, and changes nothing for the next one in its slot or in the other', async () => {
    const usual = (await ask(1)).choices[0].message.content;
    // Long enough that its cells reach beyond those of the next request.
    const content = 'The quick brown fox jumps over the lazy dog. '.repeat(15);
    for (const _ of [1, 2]) {
      const response = await post({ id_slot: 0, messages: [{ role: 'user', content }], lora: [{ id: 0, scale: 1 }] });
      expect([response.status, await response.text()]).toEqual([
        500,
        expect.stringContaining('the scale of an adapter'),
      ]);
    }
    expect((await ask(0)).choices[0].message.content).toBe(usual);
    const kept = await ask(1);
    expect(kept.choices[0].message.content).toBe(usual);
    expect(kept.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(0);
  });

  it('is not multiplied with what no float holds', async () => {
    const response = await post({ messages: [{ role: 'user', content: 'Hi' }], lora: [{ id: 0, scale: -1e308 }] });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('lora')]);
  });
});
