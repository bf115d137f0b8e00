import type { ApiClient } from './client.ts';
import { ApiFailure } from './failure.ts';

export interface Listening {
  readonly api: ApiClient;
  readonly after: (milliseconds: number, callback: () => void) => () => void;
  /** A stream of events that does not end by itself. */
  readonly path: string;
  /** Settles while no key is missing, and when the signal ends the waiting: until then nobody would be answered. */
  readonly unlocked: (signal: AbortSignal) => Promise<void>;
  /** What of an event concerns the tabs; undefined: nothing. Survives structured cloning. */
  readonly read: (event: unknown) => unknown;
}

const againMs = 2000;

/**
 * One tab listens for all: a browser opens six connections to a server, and a stream in each of seven tabs would leave
 * none to talk on. Where tabs cannot agree on one (plain http from another machine) each looks when it is looked at.
 * Gives a function that ends it.
 */
export function oneListener(
  { api, after, path, unlocked, read }: Listening,
  hear: (value: unknown) => void,
): () => void {
  const name = `serve-model:${path}`;
  const channel = new BroadcastChannel(name);
  const left = new AbortController();
  channel.addEventListener('message', ({ data }) => hear(data));
  /** True: it is for this tab to listen again when it has a key; until then another one may. */
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
        if (!(failure instanceof ApiFailure) || failure.status === 404 || failure.status === 403) return false;
        if (failure.status === 401) return true;
      }
      await new Promise<void>((resolve) => after(againMs, resolve));
    }
    return false;
  };
  const { locks } = navigator as { locks?: LockManager };
  const takeTurns = async () => {
    do await unlocked(left.signal);
    while (await locks?.request(name, { signal: left.signal }, listen));
  };
  takeTurns().catch(() => undefined);
  return () => {
    left.abort('left');
    channel.close();
  };
}
