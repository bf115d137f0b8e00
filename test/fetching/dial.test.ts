import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { systemDialer, systemResolver } from '../../src/fetching/dial.ts';
import { within } from '../http/support.ts';

const tls = join(import.meta.dirname, '../fixtures/tls');
const open: Server[] = [];

async function listening(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

afterEach(async () => {
  for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const { signal } = new AbortController();

describe("the machine's own sockets", () => {
  it('connect by number', async () => {
    const port = await listening(createServer((socket) => socket.end('hello')));
    const socket = await within('dial', systemDialer({ address: '127.0.0.1', port, tlsName: undefined }, signal));
    const chunks = await within('hello', socket.toArray());
    expect(Buffer.concat(chunks).toString()).toBe('hello');
  });

  it('trust no certificate that nobody vouches for', async () => {
    const server = createTlsServer({
      cert: readFileSync(join(tls, 'cert.pem')),
      key: readFileSync(join(tls, 'key.pem')),
    });
    server.on('tlsClientError', () => undefined);
    const port = await listening(server);
    for (const tlsName of ['localhost', '127.0.0.1'])
      await expect(within('dial', systemDialer({ address: '127.0.0.1', port, tlsName }, signal))).rejects.toThrow(
        /self.signed/,
      );
  });

  it('give up with the signal', async () => {
    const controller = new AbortController();
    // Takes connections and says nothing: the handshake never ends.
    const port = await listening(createServer((socket) => socket.on('error', () => undefined)));
    const dialled = systemDialer({ address: '127.0.0.1', port, tlsName: 'localhost' }, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(within('the end', dialled)).rejects.toBe(reason);
    const again = systemDialer({ address: '127.0.0.1', port, tlsName: undefined }, controller.signal);
    await expect(within('the end', again)).rejects.toBe(reason);
  });

  it('know the addresses of a name', async () => {
    const addresses = await within('resolve', systemResolver('localhost'));
    expect(addresses.every((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
    expect(addresses.length).toBeGreaterThan(0);
  });
});
