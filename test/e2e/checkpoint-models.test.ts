import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { tinyArchitectures, writeTinyModel } from '../support/tiny-models.ts';

interface Message {
  readonly role: string;
  readonly content: string;
}

describe.each(tinyArchitectures)('conversations with a model of the kind %s', (architecture) => {
  let folder: string;
  let server: RunningServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-tiny-'));
    const path = join(folder, 'tiny.gguf');
    writeTinyModel(path, architecture);
    server = await startDemoServer(['--ctx-size', '2048', '--parallel', '2', '--prefix-cache-dir', folder], path);
  });
  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true });
  });

  async function ask(messages: readonly Message[], more: object = {}) {
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, temperature: 0, max_tokens: 8, ignore_eos: true, ...more }),
    });
    const body = (await response.json()) as {
      choices: { message: { content: string; reasoning?: string } }[];
      usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    };
    expect([response.status, body]).toMatchObject([200, { choices: [{}] }]);
    const { content, reasoning = '' } = body.choices[0]?.message ?? { content: '' };
    return {
      content,
      said: reasoning + content,
      prompt: body.usage.prompt_tokens,
      cached: body.usage.prompt_tokens_details.cached_tokens,
    };
  }

  it('reuse what they can, turn by turn, and say what they would say from nothing', async () => {
    const messages: Message[] = [{ role: 'system', content: 'You keep bees. '.repeat(20) }];
    let before = 0;
    for (const question of ['How many?', 'And in winter?', 'Who eats the honey?']) {
      messages.push({ role: 'user', content: question });
      const answered = await ask(messages);
      const fromNothing = await ask(messages, { cache_prompt: false });
      expect(fromNothing).toEqual({ ...answered, cached: 0 });
      if (before > 0) expect(answered.cached).toBeGreaterThanOrEqual(before - 16);
      before = answered.prompt;
      messages.push({ role: 'assistant', content: answered.content });
    }
  });

  it('share a system prompt, and a question asked again', async () => {
    const system = { role: 'system', content: 'You are a lighthouse. '.repeat(20) };
    const first = await ask([system, { role: 'user', content: 'Where do you stand?' }]);
    const other = await ask([system, { role: 'user', content: 'How far do you shine?' }]);
    expect([first.cached, other.cached > 80]).toEqual([0, true]);
    const again = await ask([system, { role: 'user', content: 'How far do you shine?' }]);
    expect(again.cached).toBeGreaterThan(other.cached);
    expect(again.said).toBe(other.said);
  });
});
