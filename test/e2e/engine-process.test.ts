import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoModelPath } from '../support/demo-engine.ts';
import { isAlive, untilGone } from '../support/process-alive.ts';
import { buildPackage, type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

beforeAll(buildPackage, 120_000);

const post = (url: string, path: string, body: object) =>
  fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });

async function answer(url: string, model?: string): Promise<{ status: number; text: string }> {
  const body = { model, messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0 };
  const response = await withDeadline('an answer', post(url, '/v1/chat/completions', body));
  return { status: response.status, text: await response.text() };
}

const story = { messages: [{ role: 'user', content: 'Tell me a long story.' }], stream: true, max_tokens: 900 };
const endless = { ...story, ignore_eos: true };

/** The streams of three dialects, each after its first bytes. */
async function threeStreams(url: string, model?: string) {
  const responses = await Promise.all([
    post(url, '/v1/chat/completions', { ...endless, model }),
    post(url, '/v1/messages', { ...endless, model }),
    post(url, '/api/chat', { ...story, model, options: { num_predict: 900, ignore_eos: true } }),
  ]);
  return Promise.all(
    responses.map(async (response) => {
      expect(response.status).toBe(200);
      if (!response.body) throw new Error('no body');
      const reader = response.body.getReader();
      let text = '';
      const read = async () => {
        const { value, done } = await reader.read();
        text += Buffer.from(value ?? []).toString();
        return !done;
      };
      await withDeadline('the first bytes', read());
      return withDeadline(
        'the end of a stream',
        (async () => {
          while (await read());
          return text;
        })(),
      );
    }),
  );
}

async function processOf(url: string, id?: string): Promise<number> {
  const stats: unknown = await (await fetch(`${url}/internal/stats`)).json();
  const { models } = stats as { models: { id: string; process_id: number }[] };
  return models.find((model) => id === undefined || model.id === id)?.process_id ?? 0;
}

async function untilReadyz(url: string, status: number): Promise<void> {
  while ((await fetch(`${url}/readyz`)).status !== status) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function stop({ child, exited }: ServeProcess): Promise<void> {
  child.kill('SIGTERM');
  expect(await exited()).toBe(0);
}
