import { ServeError } from '../contract/errors.ts';
import { type Connection, connect, type Fetch } from './connection.ts';
import { type Machine, readPortFiles, thisMachine } from './port-files.ts';

/** What says which servers are meant, and opens them. */
export interface ServerWish {
  /** Of --url. */
  readonly url: string | undefined;
  readonly apiKey: readonly string[];
  readonly adminToken: string | undefined;
  readonly runtimeFolder: string;
}

export interface RunningServer extends Connection {
  /** Undefined: it is another machine's, or another user's. */
  readonly pid: number | undefined;
}

export interface FindOptions {
  readonly machine?: Machine;
  readonly fetch?: Fetch;
}

/** The one that --url names, which may not be there; else those of this user, the latest first. */
export async function runningServers(
  { url, apiKey, adminToken, runtimeFolder }: ServerWish,
  { machine = thisMachine, fetch }: FindOptions = {},
): Promise<RunningServer[]> {
  const files = await readPortFiles(runtimeFolder, machine);
  const key = apiKey[0] ?? adminToken;
  const meant = url === undefined ? files : [{ url, pid: files.find((file) => file.url === url)?.pid }];
  return meant.map(({ url, pid }) => ({ ...connect({ url, key }, fetch), pid }));
}

export function noServer(): ServeError {
  return new ServeError('not_found', 'No server of yours runs on this machine. Start one, or name one with --url.');
}
