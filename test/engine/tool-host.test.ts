import { getEventListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToolHost } from '../../src/contract/server-tools.ts';
import { createToolHost } from '../../src/tools/host.ts';
import { until, within } from '../http/support.ts';
import { isAlive } from '../support/process-alive.ts';

/** A server that does what servers should not do, in a real process. Time is moved by hand where it decides. */
const script = join(import.meta.dirname, '../support/odd-tool-server.mjs');
const secret = 'open-sesame-99';
let folder = '';
let notes = '';
let now = 0;
let lines: string[] = [];
let host: ToolHost;
const { signal } = new AbortController();

function hostOf(toolAllow: readonly string[] = []): ToolHost {
  return createToolHost({
    servers: [
      {
        name: 'odd',
        disabled: false,
        place: {
          transport: 'stdio',
          command: process.execPath,
          args: [script],
          env: { ODD_NOTES: notes, ODD_KEY: secret },
        },
      },
      { name: 'off', disabled: true, place: { transport: 'stdio', command: 'nothing', args: [], env: {} } },
      {
        name: 'missing',
        disabled: false,
        place: { transport: 'stdio', command: join(folder, 'nothing'), args: [], env: {} },
      },
    ],
    toolAllow,
    clock: () => now,
    log: (_, message) => lines.push(message),
    version: '1',
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-model-odd-'));
  notes = join(folder, 'notes');
  lines = [];
  now = 0;
  host = hostOf();
});

afterEach(async () => {
  await within('the end of the servers', host.close(), 20_000);
  rmSync(folder, { recursive: true });
});

const noted = () => readFileSync(notes, 'utf8').trim().split('\n');
const pids = () => noted().flatMap((line) => (line.startsWith('pid ') ? [Number(line.slice(4))] : []));
const call = (name: string, timeoutMs = 20_000, by = signal) =>
  within(name, host.call({ server: 'odd', name }, {}, { signal: by, timeoutMs, maxCharacters: 10_000 }), 30_000);
const stateOf = (server: string) => host.report().find(({ name }) => name === server);

describe('a server of tools', () => {
  it('starts when it is used, and one that cannot has no tools and a reason', async () => {
    expect(host.report().map(({ state }) => state)).toEqual(['idle', 'disabled', 'idle']);
    const tools = await within('tools', host.tools(undefined, signal), 20_000);
    expect(new Set(tools.map(({ server }) => server))).toEqual(new Set(['odd']));
    expect(host.report().map(({ state }) => state)).toEqual(['ready', 'disabled', 'failed']);
    expect(stateOf('missing')?.problem).toMatch(/missing could not be started: .*ENOENT/);
  });

  it('that crashes fails its call, is started at once the first time, and later after a while', async () => {
    expect(await call('crash')).toMatchObject({
      isError: true,
      content: expect.stringMatching(/ended while it worked/),
    });
    expect(await call('fail')).toEqual({ content: 'it went wrong', isError: true });
    expect(new Set(pids()).size).toBe(2);
    await call('crash');
    await call('crash');
    expect(await call('fail')).toMatchObject({ content: expect.stringMatching(/tried again in \d s/) });
    now += 60_000;
    expect(await call('fail')).toEqual({ content: 'it went wrong', isError: true });
  });

  it('that hangs is given up after the time without a sign, and told so', async () => {
    expect(await call('hang', 300)).toMatchObject({
      isError: true,
      content: expect.stringMatching(/no sign of life for 0.3 s/),
    });
    await until('it is told', () => noted().includes('cancelled'));
    expect(await call('fail')).toEqual({ content: 'it went wrong', isError: true });
    expect(pids()).toHaveLength(1);
  });

  it('that tells its progress may take longer than that', async () => {
    // Six signs of progress, 0.15 s apart: the limit is longer than each pause and shorter than all of them.
    expect(await call('slow', 700)).toEqual({ content: 'done at last', isError: false });
  });

  it('is told of a cancel, whose reason is thrown', async () => {
    const controller = new AbortController();
    const hanging = host.call(
      { server: 'odd', name: 'hang' },
      {},
      { signal: controller.signal, timeoutMs: 20_000, maxCharacters: 10_000 },
    );
    hanging.catch(() => undefined);
    await until('it is called', () => readOrEmpty().includes('call hang'), 20_000);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(within('the end', hanging)).rejects.toBe(reason);
    await until('it is told', () => noted().includes('cancelled'));
  });

  it('may be called twice at once', async () => {
    const [one, other] = await Promise.all([call('together'), call('together')]);
    expect([one?.content, other?.content]).toEqual(['both', 'both']);
  });

  it('that floods loses its connection, not our memory', async () => {
    const outcome = await call('flood');
    expect(outcome.isError).toBe(true);
    expect(outcome.content.length).toBeLessThan(1000);
  });

  it('that is noisy is heard, without its secrets', async () => {
    expect(await call('noise')).toEqual({ content: 'the key is [secret]', isError: false });
    await until('its lines are logged', () => lines.filter((line) => line.startsWith('line ')).length === 2000);
    expect(lines.join('\n')).not.toContain(secret);
  });

  it('may refuse, write what is no message, and give contents of any kind', async () => {
    expect(await call('refuse')).toMatchObject({ isError: true, content: expect.stringMatching(/not today/) });
    expect((await call('garbage')).isError).toBe(false);
    const { content, images } = await call('odd');
    expect(images).toEqual([{ base64: 'QUJD', mimeType: 'image/png' }]);
    expect(content.split('\n')).toEqual([
      '[content of type "hologram" was left out]',
      '[an image: image/png, 3 bytes]',
      'the text of a resource',
      '[resource file:///a.bin (application/x) was left out: it is no text]',
      '[b: file:///b.txt]',
      '[a content that cannot be read was left out]',
    ]);
  });

  it('may change its list', async () => {
    await call('change');
    const seen = async () => (await host.tools(['odd'], signal)).map(({ name }) => name).join();
    let names = '';
    await until('the new list is there', () => {
      void seen().then((found) => {
        names = found;
      });
      return names === 'fail,new';
    });
  });

  it('has only the tools that are allowed, by either name', async () => {
    await host.close();
    host = hostOf(['odd__fail', 'odd']);
    expect((await host.tools(['odd'], signal)).length).toBe(11);
    await host.close();
    host = hostOf(['odd__fail']);
    expect((await host.tools(['odd'], signal)).map(({ name }) => name)).toEqual(['fail']);
    expect(await call('crash')).toMatchObject({ isError: true, content: expect.stringMatching(/no such tool/) });
  });

  it('is restarted by name, and ends with the host', async () => {
    await call('fail');
    expect(await within('the restart', host.restart('odd', signal), 20_000)).toMatchObject({ state: 'ready' });
    const [first = 0, second = 0] = pids();
    expect([isAlive(first), isAlive(second)]).toEqual([false, true]);
    await expect(host.restart('nobody', signal)).rejects.toMatchObject({ code: 'not_found' });
    await within('the end', host.close(), 20_000);
    expect(isAlive(second)).toBe(false);
    expect(await call('fail')).toMatchObject({ isError: true });
  });

  it('a hundred calls leave one process and no listener behind', async () => {
    const controller = new AbortController();
    for (let round = 0; round < 100; round++) await call('fail', 20_000, controller.signal);
    expect(pids()).toHaveLength(1);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

function readOrEmpty(): string {
  try {
    return readFileSync(notes, 'utf8');
  } catch {
    return '';
  }
}
