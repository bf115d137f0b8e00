import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { withDeadline } from '../support/serve-process.ts';

const program = resolve(import.meta.dirname, '../support/embedding-host.mjs');
const entry = resolve(import.meta.dirname, '../../dist/index.js');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-host-'));
  await copyFile(bundledModelPath, join(folder, 'model.gguf'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs to its own end: nothing of the server may keep it alive. */
async function host(...mode: readonly string[]) {
  const home = join(folder, 'home');
  const child = spawn(
    process.execPath,
    [program, entry, join(folder, 'model.gguf'), join(folder, 'cache', 'server'), ...mode],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: home },
    },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await withDeadline(
    'the end of the program',
    new Promise((done) => child.once('close', done)),
    120_000,
  ).finally(() => child.kill('SIGKILL'));
  const last = output.trim().split('\n').at(-1) ?? '';
  return { code, errors, said: JSON.parse(last === '' ? 'null' : last), home };
}

describe('a program that holds the server inside', () => {
  it('finds everything as it was: other packages, globals, listeners, environment; and ends by itself', async () => {
    const { code, errors, said, home } = await host();
    expect({ code, errors, said }).toEqual({
      code: 0,
      errors: '',
      said: { status: 200, waits: 0, loaded: [], closed: [] },
    });
    // Nothing is kept in its user's home unasked.
    expect(await readdir(home).catch(() => 'nothing')).toBe('nothing');
    expect(await readdir(join(folder, 'cache', 'server'))).toContain('sound-models.json');
  });

  it('ends at once where it ends in the middle of an answer', async () => {
    const { code, said } = await host('exit');
    expect({ code, said }).toEqual({ code: 7, said: { status: 200, waits: 0 } });
  });
});
