import type { ApiClient } from './client.ts';
import { ApiFailure } from './failure.ts';

export interface Listening {
  readonly api: ApiClient;
  readonly after: (milliseconds: number, callback: () => void) => () => void;
  /** A stream of events that does not end by itself. */
  readonly path: string;
  /** What of an event concerns the tabs; undefined: nothing. Survives structured cloning. */
  readonly read: (event: unknown) => unknown;
}

const againMs = 2000;

/**
 * One tab listens for all: a browser opens six connections to a server, and a stream in each of seven tabs would leave
 * none to talk on. Where tabs cannot agree on one (plain http from another machine) each looks when it is looked at.
 * Gives a function that ends it.
 */
export function oneListener({ api, after, path, read }: Listening, hear: (value: unknown) => void): () => void {
  const name = `serve-model:${path}`;
  const channel = new BroadcastChannel(name);
  const left = new AbortController();
  channel.addEventListener('message', ({ data }) => hear(data));
  const listen = async () => {
    while (!left.signal.aborted) {
      try {
        for await (const event of api.stream(path, { signal: left.signal })) {
          const value = read(event);
          if (value === undefined) continue;
          hear(value);
          channel.postMessage(value);
        }
      } catch (failure) {
        // Not there, or not for this caller: it will not be later.
        if (!(failure instanceof ApiFailure) || failure.status === 404 || failure.status === 403) return;
      }
      await new Promise<void>((resolve) => after(againMs, resolve));
    }
  };
  const { locks } = navigator as { locks?: LockManager };
  locks?.request(name, { signal: left.signal }, listen).catch(() => undefined);
  return () => {
    left.abort('left');
    channel.close();
  };
}
