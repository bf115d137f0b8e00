import { type IncomingMessage, request as startRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dialer } from './dial.ts';
import type { Place } from './places.ts';

export interface Ask {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** One request and the head of its answer, over a connection of its own. The signal ends it at every stage. */
export async function exchange(
  { url, addresses }: Place,
  ask: Ask,
  dial: Dialer,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const socket = await connectToOne(url, addresses, dial, signal);
  return new Promise((resolve, reject) => {
    // With a connection of its own no agent is used, and nothing looks the name up again.
    const outgoing = startRequest({
      createConnection: () => socket,
      method: ask.method,
      path: url.pathname + url.search,
      headers: { ...ask.headers, host: url.host },
      signal,
    });
    outgoing.once('response', resolve);
    // Also what comes later (an abort between two chunks) must have somebody to hear it.
    outgoing.on('error', (error) => {
      socket.destroy();
      reject(signal.aborted ? signal.reason : error);
    });
    outgoing.end(ask.body);
  });
}

/** In their order; the next one only where the one before cannot be reached. */
async function connectToOne(
  url: URL,
  addresses: readonly string[],
  dial: Dialer,
  signal: AbortSignal,
): Promise<Duplex> {
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await dial({ address, port, tlsName: isSecure ? host : undefined }, signal);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}
