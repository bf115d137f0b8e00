import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

describe.skipIf(process.platform === 'win32')('--api-key-file', () => {
  let folder = '';
  let server: ServeProcess;
  const file = () => join(folder, 'keys');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-keys-'));
  });
  afterEach(async () => {
    server.child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  async function status(url: string, key: string): Promise<number> {
    return (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status;
  }

  /** The log after the text was written the given number of times. */
  function logged(text: string, times = 1): Promise<void> {
    const there = async () => {
      while (server.out().split(text).length <= times)
        await new Promise((resolve) => server.child.stdout.once('data', resolve));
    };
    return withDeadline(`"${text}" in the log`, there());
  }

  it('is read again on SIGHUP, a wrong one changes nothing, and no key is ever logged', async () => {
    await writeFile(file(), 'ann: sk-ann-old\n');
    server = startProcess(['--api-key-file', file(), '--log-level', 'debug']);
    const url = await server.ready();
    expect([await status(url, 'sk-ann-old'), await status(url, 'sk-ann-new')]).toEqual([200, 401]);

    await writeFile(file(), 'ann: sk-ann-new\nbob: sk-bob admin\n');
    server.child.kill('SIGHUP');
    await logged('keys were read again: they are those of ann, bob');
    expect([await status(url, 'sk-ann-old'), await status(url, 'sk-ann-new')]).toEqual([401, 200]);

    await writeFile(file(), 'ann: sk-ann-new flying=1\n');
    server.child.kill('SIGHUP');
    await logged('keys were not read again, the earlier ones stay');
    expect(await status(url, 'sk-bob')).toBe(200);
    expect(server.out() + server.error()).not.toContain('sk-');
  });
});
