import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { startProcess } from '../support/serve-process.ts';
import { writeTinyBert } from '../support/tiny-bert.ts';
import { writeTinyAdapter, writeTinyModel } from '../support/tiny-models.ts';

let folder = '';
const at = (...names: readonly string[]) => join(folder, ...names);

/** Files that hang or end whoever gives them to the library as they are. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-files-'));
  await mkdir(at('models'));
  const bundled = await readFile(bundledModelPath);
  const withNumber = async (name: string, key: string, value: number) => {
    const bytes = Buffer.from(bundled);
    bytes.writeUInt32LE(value, bytes.indexOf(key) + key.length + 4);
    await writeFile(at('models', name), bytes);
  };
  await withNumber('crash.gguf', 'llama.block_count', 0xffff);
  await withNumber('no-context.gguf', 'llama.context_length', 0);
  await copyFile(bundledModelPath, at('models/good.gguf'));
  await copyFile(bundledModelPath, at('outside.gguf'));
  writeTinyBert(at('models/other-words.gguf'), { pooling: 'mean' });
  writeTinyModel(at('models/other-kind.gguf'), 'gemma3');
  writeTinyAdapter(at('adapter.gguf'));
  const adapter = await readFile(at('adapter.gguf'));
  // A float for our reader and for whoever looks at the file, and a whole number for who asks for a float.
  const alpha = 'adapter.lora.alpha';
  adapter.writeUInt32LE(4, adapter.indexOf(alpha) + alpha.length);
  await writeFile(at('asserting-adapter.gguf'), adapter);
  if (process.platform !== 'win32') execFileSync('mkfifo', [at('models/pipe.gguf')]);
});
afterAll(() => rm(folder, { recursive: true }));

const pipe = process.platform === 'win32' ? [] : ['pipe.gguf'];

const textFlags = ['--api-key-file', '--models-file', '--chat-template-file'];

describe('a start', () => {
  it.each(['--draft-model', '--embedding-model', '--model'])('refuses what would crash it as %s', async (flag) => {
    const server = startProcess([flag, at('models/crash.gguf')], { HOME: folder });
    expect(await server.exited()).toBe(1);
    expect(server.error()).toMatch(/crash\.gguf makes the inference library crash/);
  });

  it.each(pipe.flatMap((name) => ['--draft-model', '--embedding-model', '--model'].map((flag) => [flag, name])))(
    'does not wait for a writer of %s %s',
    async (flag, name) => {
      const server = startProcess([flag, at('models', name)], { HOME: folder });
      expect(await server.exited()).toBe(1);
      expect(server.error()).toContain(`The model file ${at('models', name)} cannot be opened.`);
    },
  );

  it.each(pipe.flatMap((name) => textFlags.map((flag) => [flag, name])))(
    'does not wait for a writer of %s %s for ever',
    async (flag, name) => {
      const server = startProcess([flag, at('models', name)], { HOME: folder });
      expect(await server.exited()).toBe(1);
      expect(server.error()).toMatch(/did not end within 5 seconds\. Give a plain file/);
    },
  );

  it.each([
    ...pipe.map((name) => [`models/${name}`, 'The adapter file ']),
    ['models/good.gguf', 'is a model. It is no adapter.'],
    ['models/nowhere.gguf', 'The adapter file '],
    ['asserting-adapter.gguf', 'makes the inference library crash'],
  ])('refuses %s as --lora', async (name, sentence) => {
    const server = startProcess(['--lora', at(name)], { HOME: folder });
    expect(await server.exited()).toBe(1);
    expect(server.error()).toContain(sentence);
    expect(server.error()).toContain(at(name));
  });

  it('refuses a certificate that is none', async () => {
    await writeFile(at('empty.pem'), '');
    const server = startProcess(['--ssl-cert', at('empty.pem'), '--ssl-key', at('empty.pem')], { HOME: folder });
    expect(await server.exited()).toBe(1);
    expect(server.error()).toContain(`--ssl-cert ${at('empty.pem')} holds nothing in PEM form.`);
  });

  it('says of an adapter that it was made for another model', async () => {
    const server = startProcess([at('models/other-kind.gguf'), '--lora', at('adapter.gguf')], { HOME: folder });
    expect(await server.exited()).toBe(1);
    expect(server.error()).toContain('was made for a llama model, and this is a gemma3 model');
  });

  it('says what is wrong with a model that names no context', async () => {
    const server = startProcess(['--ctx-size', '0', at('models/no-context.gguf')], { HOME: folder });
    expect(await server.exited()).toBe(1);
    expect(server.error()).toContain('does not say how long its context is (llama.context_length is 0 or missing)');
  });
});

const answerBody = z.looseObject({
  speculative_type: z.string().nullable().optional(),
  error: z.looseObject({ message: z.string(), param: z.string().nullable() }).optional(),
});

describe('a load of a model beside adapters', () => {
  it('leaves them out where they were made for another model', async () => {
    const server = await startDemoServer([
      ...['--lora', at('adapter.gguf'), '--models-dir', at('models'), '--ctx-size', '256', '--parallel', '1'],
    ]);
    const load = (model_path: string) =>
      fetch(`${server.url}/api/inference/load`, { method: 'POST', body: JSON.stringify({ model_path }) });
    const adapters = async () => (await fetch(`${server.url}/lora-adapters`)).json();
    expect(await adapters()).toMatchObject([{ path: at('adapter.gguf') }]);
    expect((await load('other-kind')).status).toBe(200);
    expect(await adapters()).toEqual([]);
    expect((await load('good')).status).toBe(200);
    expect(await adapters()).toMatchObject([{ path: at('adapter.gguf') }]);
    await server.close();
  });
});

describe('a draft model that a load names', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startDemoServer([
      ...['--models-dir', at('models'), '--ctx-size', '256', '--parallel', '1', '--api-key', 'k'],
    ]);
  });
  afterAll(() => server.close());

  async function load(draft_model: string, headers: Record<string, string> = {}) {
    const response = await fetch(`${server.url}/api/inference/load`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', ...headers },
      body: JSON.stringify({ model_path: 'good', draft_model }),
    });
    return { status: response.status, body: answerBody.parse(await response.json()) };
  }

  it.each<[string, string, RegExp]>([
    ['would crash the library', 'crash', /makes the inference library crash/],
    ['has another vocabulary', 'other-words', /cannot guess for good .* needs the same vocabulary/],
    ['is not there', 'nowhere.gguf', /There is no model nowhere\.gguf/],
    ...pipe.map((name): [string, string, RegExp] => ['is a pipe', name, /cannot be opened/]),
  ])('is refused when it %s', async (_, name, sentence) => {
    const target = name === 'pipe.gguf' ? at('models', name) : name;
    const { status, body } = await load(target);
    expect([status, body.error?.param]).toEqual([400, 'draft_model']);
    expect(body.error?.message).toMatch(sentence);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it('is held to the models folder, whether it is there or not, for a caller from elsewhere', async () => {
    const proxied = { 'x-forwarded-for': '203.0.113.9' };
    for (const path of [at('outside.gguf'), at('nowhere.gguf'), `${at('models')}/../outside.gguf`]) {
      expect(await load(path, proxied)).toMatchObject({
        status: 403,
        body: { error: { param: 'draft_model', message: expect.stringMatching(/^Only models in the models folder/) } },
      });
    }
    expect(await load(at('outside.gguf'))).toMatchObject({ status: 200 });
  });

  it('guesses from then on', async () => {
    expect(await load('good')).toMatchObject({ status: 200, body: { speculative_type: 'draft' } });
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify({ model: 'good', messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 20 }),
    });
    expect(response.status).toBe(200);
  });
});
