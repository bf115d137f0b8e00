import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failureText } from '../../src/cli/failure.ts';
import { runRunningCommand } from '../../src/cli/running.ts';
import { parseConfig } from '../../src/config.ts';
import { recordTerminal } from '../cli/terminal-recorder.ts';
import { runCommand, type ServeProcess, startProcess } from '../support/serve-process.ts';

let runtime = '';
const started: ServeProcess[] = [];
beforeAll(async () => {
  runtime = await mkdtemp(join(tmpdir(), 'serve-model-runtime-'));
});
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(runtime, { recursive: true }));

async function serve(flags: readonly string[] = []): Promise<{ url: string; server: ServeProcess }> {
  const server = startProcess(['--log-level', 'silent', ...flags], { XDG_RUNTIME_DIR: runtime });
  started.push(server);
  return { url: await server.ready(), server };
}

/** What a command says: its code, stdout, stderr. In this process, because there are many of them. */
async function say(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { terminal, out, error } = recordTerminal();
  const parsed = parseConfig(argv, { XDG_RUNTIME_DIR: runtime, ...env });
  if (parsed.command !== 'ps' && parsed.command !== 'stop') throw new Error(`${argv.join(' ')} is another command`);
  const failure = await runRunningCommand(parsed, terminal).then(
    () => '',
    (thrown: unknown) => failureText(thrown, undefined),
  );
  return { code: failure === '' ? 0 : 1, out: out(), error: error() + failure };
}

describe('ps and stop', () => {
  it('show what runs, unload a model, and end the server', async () => {
    expect(await say(['ps'])).toMatchObject({ code: 0, out: '', error: expect.stringContaining('No server of yours') });
    const { url, server } = await serve();
    const command = runCommand(['ps'], { XDG_RUNTIME_DIR: runtime });
    started.push(command);
    expect(await command.exited()).toBe(0);
    const [heads = '', row = ''] = command.out().split('\n');
    expect(heads.split(/ {2,}/)).toEqual(['MODEL', 'MEMORY', 'CONTEXT', 'SLOTS', 'DEVICE', 'SERVER', 'PROCESS']);
    expect(row).toMatch(/^serve-model-demo {2}/);
    expect(row).toContain(`${url}  ${server.child.pid}`);

    expect(await say(['stop', 'nothing'])).toMatchObject({
      code: 1,
      error: expect.stringContaining('nothing is not loaded'),
    });
    expect(await say(['stop', 'serve-model-demo'])).toEqual({
      code: 0,
      out: `unloaded serve-model-demo from ${url}\n`,
      error: '',
    });
    expect((await say(['ps'])).out).toContain('no model is loaded');

    expect(await say(['stop'])).toMatchObject({ code: 0, out: `stopped ${url}\n` });
    expect(await server.exited()).toBe(0);
    expect(await readdir(join(runtime, 'serve-model'))).toEqual([]);
    expect(await say(['stop'])).toMatchObject({ code: 1, error: expect.stringContaining('No server of yours runs') });
  });

  it('need a key where the server does, and leave out a server that was killed', async () => {
    const { url, server } = await serve(['--api-key', 'one']);
    expect((await say(['ps'])).out).toContain('wants a key. Set SERVE_MODEL_API_KEY');
    expect((await say(['ps'], { SERVE_MODEL_API_KEY: 'one' })).out).toContain('serve-model-demo');
    expect((await say(['ps', '--url', `${url}/v1/`, '--api-key', 'one'])).out).toContain(`${server.child.pid}`);
    server.child.kill('SIGKILL');
    await server.exited();
    expect(await readdir(join(runtime, 'serve-model'))).toEqual([`${server.child.pid}.json`]);
    expect((await say(['ps'])).error).toContain('No server of yours');
    const away = await say(['ps'], { SERVE_MODEL_URL: url });
    expect(away.out).toContain(`No server answers at ${url} (ECONNREFUSED)`);
    expect(await say(['stop', '--url', url])).toMatchObject({
      code: 1,
      error: expect.stringContaining('no server of'),
    });
  });

  it('say which of several servers there are', async () => {
    const first = await serve();
    const second = await serve();
    const unclear = await say(['stop']);
    expect(unclear).toMatchObject({ code: 1, out: '' });
    for (const { url } of [first, second]) expect(unclear.error).toContain(url);
    expect(await say(['stop', '--url', first.url])).toMatchObject({ code: 0, out: `stopped ${first.url}\n` });
    expect((await say(['ps'])).out).toContain(second.url);
  });
});
