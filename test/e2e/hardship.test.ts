import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDeferred } from '../../src/contract/deferred.ts';
import { until } from '../http/support.ts';
import { commandPath, type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

async function answer(url: string): Promise<string> {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0 });
  const response = await withDeadline('an answer', fetch(`${url}/v1/chat/completions`, { method: 'POST', body }));
  return response.text();
}

/** A long stream of somebody else, to its end: how many pieces of text came. */
async function story(url: string): Promise<number> {
  const body = JSON.stringify({
    messages: [{ role: 'user', content: 'Tell me a long story.' }],
    stream: true,
    ignore_eos: true,
    max_tokens: 400,
  });
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
  const text = await withDeadline('the end of a stream', response.text());
  expect(text).toContain('"finish_reason":"length"');
  expect(text).toMatch(/data: \[DONE\]\n\n$/);
  return text.split('"delta"').length;
}

describe('others never notice', () => {
  let server: ServeProcess;
  let url: string;
  beforeAll(async () => {
    server = startProcess(['--parallel', '2']);
    url = await server.ready();
  }, 120_000);
  afterAll(async () => {
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
  });

  it('a client that reads a byte now and then', async () => {
    const body = JSON.stringify({
      messages: [{ role: 'user', content: 'Tell me a long story.' }],
      stream: true,
      ignore_eos: true,
      max_tokens: 800,
    });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.pause();
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await new Promise((resolve) => socket.once('readable', resolve));
    const first = socket.read(1);
    expect(String(first)).toBe('H');
    for (let round = 0; round < 5; round++) {
      expect(await answer(url)).toContain('tiny demo model');
      socket.read(1);
    }
    socket.destroy();
    // Its slot is free again: both can be used at once.
    const both = await Promise.all([answer(url), answer(url)]);
    expect(both.every((text) => text.includes('tiny demo model'))).toBe(true);
  });

  it('a client that never finishes its headers', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-slow: ');
    expect(await answer(url)).toContain('tiny demo model');
    socket.destroy();
  });
});

describe.runIf(process.platform === 'linux')('others never notice', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-hardship-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function namedPipe(name: string): string {
    const path = join(folder, name);
    execFileSync('mkfifo', [path]);
    return path;
  }

  it('a log into a full pipe that nobody reads', async () => {
    const path = namedPipe('log');
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const log = new Socket({ fd, readable: true, writable: false }).setEncoding('utf8');
    const server = startLoggingInto(openSync(path, constants.O_WRONLY));
    try {
      const start = await readUntil(log, (text) => /address {2}(\S+)\n/.test(text));
      const url = /address {2}(\S+)\n/.exec(start)?.[1] ?? '';
      const streams = Promise.all([story(url), story(url)]);
      const refused = await fillLog(url, 600);
      expect(await streams).toEqual([expect.any(Number), expect.any(Number)]);
      expect(await answer(url)).toContain('tiny demo model');
      // More lines than the pipe holds were waiting, and not one of them is lost.
      const lines = await readUntil(log, (text) => text.split(refused).length > 600);
      expect(lines.length).toBeGreaterThan(2 * 65_536);
    } finally {
      server.kill('SIGKILL');
      log.destroy();
    }
  });

  it('a disk that hangs', async () => {
    const store = join(folder, 'responses');
    const server = startProcess(['--parallel', '2', '--response-store', store]);
    try {
      const url = await server.ready();
      const body = JSON.stringify({ input: 'Who are you?', max_output_tokens: 5 });
      const made = await fetch(`${url}/v1/responses`, { method: 'POST', body });
      const { id } = (await made.json()) as { id: string };
      const file = join(store, `${id}.json`);
      await until('the response in its file', () => readdirSync(store).includes(`${id}.json`));
      await rm(file);
      execFileSync('mkfifo', [file]);
      // Whoever reads it waits for a writer: a thread of the pool is gone.
      const hanging = fetch(`${url}/v1/responses/${id}`).catch(() => undefined);
      expect(await Promise.all([story(url), story(url)])).toEqual([expect.any(Number), expect.any(Number)]);
      expect(await answer(url)).toContain('tiny demo model');
      closeSync(openSync(file, constants.O_RDWR));
      expect((await withDeadline('the hanging request', hanging))?.status).toBeGreaterThanOrEqual(400);
    } finally {
      server.child.kill('SIGTERM');
      expect(await server.exited()).toBe(0);
    }
  });
});

function startLoggingInto(fd: number) {
  const flags = ['--port', '0', '--threads', '1', '--no-flash-attn', '--ctx-size', '1024', '--parallel', '2'];
  const child = spawn(process.execPath, [commandPath, ...flags], { stdio: ['ignore', fd, 'inherit'] });
  closeSync(fd);
  return child;
}

/** Writes log lines by being refused; gives what stands in each of them. */
async function fillLog(url: string, lines: number): Promise<string> {
  const id = 'x'.repeat(128);
  for (let done = 0; done < lines; done += 50)
    await Promise.all(
      Array.from({ length: 50 }, () =>
        fetch(`${url}/v1/none`, { headers: { 'x-request-id': id } }).then((response) => response.text()),
      ),
    );
  return id;
}

/** Reads on, from where it was, and stops again when there is enough. */
async function readUntil(log: Socket, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  const { promise, resolve } = createDeferred<void>();
  const take = (piece: string) => {
    text += piece;
    if (!enough(text)) return;
    log.pause();
    resolve();
  };
  log.on('data', take).resume();
  await withDeadline('more of the log', promise);
  log.off('data', take);
  return text;
}
