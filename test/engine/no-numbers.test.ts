import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { readGguf } from '../../src/models/gguf.ts';
import { startDemoServer } from '../support/demo-server.ts';

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
