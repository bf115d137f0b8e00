import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Resolver } from './places.ts';

export interface Target {
  /** Checked, and never a name: nothing is resolved a second time. */
  readonly address: string;
  readonly port: number;
  /** Set: over TLS, with a certificate for this name or address. */
  readonly tlsName: string | undefined;
}

/** Resolves when connected. Rejects when that fails, or with the signal's reason. */
export type Dialer = (target: Target, signal: AbortSignal) => Promise<Duplex>;

export const systemResolver: Resolver = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

export const systemDialer: Dialer = ({ address, port, tlsName }, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket =
      tlsName === undefined
        ? connect({ host: address, port })
        : connectTls({
            host: address,
            port,
            ALPNProtocols: ['http/1.1'],
            ...(isIP(tlsName) === 0 && { servername: tlsName }),
          });
    const onAbort = () => {
      socket.destroy();
      settle(() => reject(signal.reason));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const settle = (how: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      how();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once(tlsName === undefined ? 'connect' : 'secureConnect', () => settle(() => resolve(socket)));
  });
