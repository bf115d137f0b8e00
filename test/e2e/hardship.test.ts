import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPackage, type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

let server: ServeProcess;
let url: string;
beforeAll(async () => {
  buildPackage();
  server = startProcess(['--parallel', '2']);
  url = await server.ready();
}, 120_000);
afterAll(async () => {
  server.child.stdout.resume();
  server.child.kill('SIGTERM');
  expect(await server.exited()).toBe(0);
});

async function answer(): Promise<string> {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0 });
  const response = await withDeadline('an answer', fetch(`${url}/v1/chat/completions`, { method: 'POST', body }));
  return response.text();
}

describe('others never notice', () => {
  it('a log that nobody reads', async () => {
    server.child.stdout.pause();
    // Far more than a pipe holds.
    for (let round = 0; round < 30; round++)
      await Promise.all(
        Array.from({ length: 50 }, () => fetch(`${url}/v1/models`).then((response) => response.text())),
      );
    expect(await answer()).toContain('tiny demo model');
    server.child.stdout.resume();
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
      expect(await answer()).toContain('tiny demo model');
      socket.read(1);
    }
    socket.destroy();
    // Its slot is free again: both can be used at once.
    expect((await Promise.all([answer(), answer()])).every((text) => text.includes('tiny demo model'))).toBe(true);
  });

  it('a client that never finishes its headers', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-slow: ');
    expect(await answer()).toContain('tiny demo model');
    socket.destroy();
  });
});
