import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { answer, demoModelPath, greedy, loadDemoModel } from '../support/demo-engine.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { writeTinyAdapter, writeTinyModel } from '../support/tiny-models.ts';

let folder = '';
let first = '';
let second = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-adapters-'));
  first = join(folder, 'first.gguf');
  second = join(folder, 'second.gguf');
  writeTinyAdapter(first, 1);
  writeTinyAdapter(second, 2);
});
afterAll(() => rm(folder, { recursive: true }));

describe('adapters of a model', () => {
  it('change the text, not at all at a scale of 0, and never share a prefix with another', async () => {
    const loaded = await loadDemoModel({ adapters: [{ path: first }, { path: second }] });
    const { engine } = loaded;
    const prompt = await engine.text.tokenize(['The capital of France is'], { special: true });
    const run = (adapters: readonly number[], changes = {}) =>
      answer(engine, prompt, { maxTokens: 12, reuse: prompt.length, ignoreEos: true, adapters, ...changes });
    const plain = await answer(engine, prompt, { maxTokens: 12, ignoreEos: true });
    const [one, two] = [await run([1, 0]), await run([0, 1])];
    expect(new Set([plain.text, one.text, two.text]).size).toBe(3);
    expect([one.cachedTokens, two.cachedTokens]).toEqual([0, 0]);
    expect((await run([0, 1])).cachedTokens).toBe(prompt.length - 1);
    expect((await run([0, 0])).text).toBe(plain.text);
    // Side by side they take turns, and each says what it says alone.
    const together = await Promise.all([
      run([1, 0], { slot: 0 }),
      run([0, 1], { slot: 1 }),
      run([], { slot: 2 }),
      run([1, 0], { slot: 3 }),
    ]);
    expect(together.map(({ text }) => text)).toEqual([one.text, two.text, plain.text, one.text]);
    await engine.dispose();
  });

  it('are refused where the file is none, by name', async () => {
    await expect(loadDemoModel({ adapters: [{ path: demoModelPath }] })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('The adapter'),
    });
  });
});

describe('experts in main memory', () => {
  it('give the same text', async () => {
    const path = join(folder, 'moe.gguf');
    writeTinyModel(path, 'qwen3moe');
    const texts = await Promise.all(
      [[], [{ pattern: 'blk\\.[01]\\.ffn_(up|down|gate|gate_up)_(ch|)exps', place: 'CPU' }]].map(
        async (tensorPlaces) => {
          const { engine } = await loadDemoModel({ path, parameters: { gpuLayers: 0, tensorPlaces } });
          const { text } = await answer(engine, [1, 2, 3], { sampling: greedy, maxTokens: 16, ignoreEos: true });
          await engine.dispose();
          return text;
        },
      ),
    );
    expect(texts[0]).not.toBe('');
    expect(texts[1]).toBe(texts[0]);
  });
});

describe('adapters through the API', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startDemoServer(['--lora', `${first}:0`, '--lora', second]);
  });
  afterAll(() => server.close());

  const ask = async (more: object) => {
    const response = await fetch(`${server.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'The capital of France is', max_tokens: 12, temperature: 0, ...more }),
    });
    const body = (await response.json()) as { choices?: { text: string }[]; error?: { message: string } };
    return body.choices?.[0]?.text ?? body.error?.message;
  };
  const set = (scales: unknown) =>
    fetch(`${server.url}/lora-adapters`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(scales),
    });

  it('are listed with their scales, set for everybody, and chosen by a request', async () => {
    const listed = async () => (await fetch(`${server.url}/lora-adapters`)).json();
    expect(await listed()).toEqual([
      { id: 0, path: first, scale: 0 },
      { id: 1, path: second, scale: 1 },
    ]);
    const [usual, none, one] = [await ask({}), await ask({ use_adapter: false }), await ask({ use_adapter: 'first' })];
    expect(new Set([usual, none, one]).size).toBe(3);
    expect(await ask({ lora: [{ id: 1, scale: 1 }] })).toBe(usual);
    expect(await ask({ lora: [] })).toBe(none);
    expect(await (await set([{ id: 0, scale: 1 }])).json()).toEqual({ success: true });
    expect(await ask({})).toBe(one);
    expect(await ask({ use_adapter: true })).toBe(one);
    expect(await ask({ use_adapter: 'third' })).toContain('There is no adapter third. The model has first, second.');
    expect((await set([{ id: 7, scale: 1 }])).status).toBe(400);
    expect((await set({ id: 0 })).status).toBe(400);
  });
});
