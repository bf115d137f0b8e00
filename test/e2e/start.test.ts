import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { hugePageVariables } from '../../src/models/huge-pages.ts';
import { variableOf } from '../support/process-alive.ts';
import { type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

let home = '';
let model = '';
/** Every Node.js process and thread that begins writes a line here. */
let begun = '';
let server: ServeProcess | undefined;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'serve-model-start-'));
  model = join(home, 'own.gguf');
  begun = join(home, 'begun.txt');
  await copyFile(bundledModelPath, model);
  await writeFile(join(home, 'note.mjs'), noteTaker(begun));
});
afterEach(() => server?.child.kill('SIGKILL'));
afterAll(() => rm(home, { recursive: true }));

const noteTaker = (file: string) => `
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
appendFileSync(${JSON.stringify(file)}, (isMainThread ? 'process' : 'thread') + '\\n');`;

async function start(flags: readonly string[] = []): Promise<{ noted: string[]; answer: string }> {
  await writeFile(begun, '');
  const note = pathToFileURL(join(home, 'note.mjs')).href;
  // Chosen already: nothing begins anew.
  const env = { HOME: home, NODE_OPTIONS: `--import=${note}`, GLIBC_TUNABLES: '' };
  server = startProcess([model, ...flags], env);
  const url = await server.ready();
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0, max_tokens: 8 });
  const headers = { 'content-type': 'application/json' };
  const response = await withDeadline(
    'the answer',
    fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body }),
  );
  const answer = await response.text();
  server.child.kill('SIGTERM');
  expect(await server.exited()).toBe(0);
  return { noted: (await readFile(begun, 'utf8')).trim().split('\n'), answer };
}

const messageOf = (answer: string) => /"message":\{[^}]*\}/.exec(answer)?.[0];

describe('a later start', () => {
  it('tries nothing out again: what the library was loaded for is loaded at once', async () => {
    const first = await start();
    const processes = (noted: readonly string[]) => noted.filter((line) => line === 'process').length;
    expect(processes(first.noted)).toBeGreaterThan(2);
    const later = await start();
    // The server, and the process that makes prompts.
    expect(processes(later.noted)).toBe(2);
    expect(messageOf(later.answer)).toBeDefined();
    expect(messageOf(later.answer)).toBe(messageOf(first.answer));
  });

  it('shows what the library says where it is asked to, and not otherwise', async () => {
    const bytes = await readFile(model);
    const key = 'tokenizer.ggml.padding_token_id';
    bytes.writeUInt32LE(999_999, bytes.indexOf(key) + key.length + 4);
    await writeFile(join(home, 'odd.gguf'), bytes);
    for (const [level, shown] of [
      ['debug', true],
      ['info', false],
    ] as const) {
      server = startProcess([join(home, 'odd.gguf'), '--log-level', level], { HOME: home });
      await server.ready();
      expect(server.error().includes('bad special token'), level).toBe(shown);
      server.child.kill('SIGKILL');
    }
  });

  it('ends at once, with its weights, when the port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      server = startProcess([model, '--port', String(port)], { HOME: home });
      expect(await server.exited()).toBe(1);
      expect(server.error()).toContain(`${port}`);
      expect(server.error()).not.toMatch(/\n\s+at /);
    } finally {
      taken.close();
    }
  });

  it('says of what does not fit how large it was to be, though its weights were there before', async () => {
    server = startProcess([model, '--ctx-size', '100000000'], { HOME: home });
    expect(await server.exited()).toBe(1);
    expect(server.error()).toMatch(
      /serve-model: own does not fit into this machine's memory: with 1 slot of 100000000 tokens it needs about 1\.9 TB, /,
    );
  });
});

describe.runIf(process.platform === 'linux')('huge pages', () => {
  it('are asked for by the same process where Node.js can begin anew in it', async () => {
    server = startProcess([model], { HOME: home });
    await server.ready();
    const wanted = 'execve' in process ? hugePageVariables(process.env) : undefined;
    expect(variableOf(server.child.pid, 'GLIBC_TUNABLES')).toBe(wanted?.GLIBC_TUNABLES ?? process.env.GLIBC_TUNABLES);
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
  });
});
