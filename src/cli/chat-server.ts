import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, connect } from '../client/connection.ts';
import { servedModel } from '../client/models.ts';
import { noServer, runningServers } from '../client/running-servers.ts';
import { serverStatus } from '../client/status.ts';
import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { createProgress } from './progress.ts';
import { startObserver } from './start-observer.ts';
import type { Terminal } from './terminal.ts';

/** A server to chat with. */
export interface ChatServer {
  readonly connection: Connection;
  /** Undefined: the server's own choice. */
  readonly model: string | undefined;
  /** Ends what was started for this chat. */
  close(): Promise<void>;
}

/**
 * With a model: a server of this user that has it by that name, else one of its own for the length of the chat. --url
 * names the server, which must have it then. Without a model: the server that runs.
 */
export async function openChatServer(
  model: string | undefined,
  config: Config,
  terminal: Terminal,
): Promise<ChatServer> {
  const servers = await runningServers(config);
  const [latest] = servers;
  if (model === undefined) {
    if (!latest) throw noServer();
    const { active_model } = await latest.call('/api/inference/status', serverStatus);
    return { connection: latest, model: active_model ?? undefined, close: async () => undefined };
  }
  for (const connection of servers) {
    const found = await findModel(connection, model, { terminal, mustBeThere: config.url !== undefined });
    if (found !== undefined) return { connection, model: found, close: async () => undefined };
  }
  return ownServer(model, config, terminal);
}

interface Search {
  readonly terminal: Terminal;
  /** What the server says when it has none is thrown. */
  readonly mustBeThere: boolean;
}

const pauseMs = 300;

/** Its id there. A server that still loads its models does not know yet: it is waited for. */
async function findModel(connection: Connection, model: string, search: Search): Promise<string | undefined> {
  for (let told = false; ; told = true) {
    try {
      return (await servedModel(connection, model)).id;
    } catch (error) {
      if (!(error instanceof ServeError)) throw error;
      if (error.code !== 'model_loading') {
        if (search.mustBeThere) throw error;
        return undefined;
      }
      if (!told) search.terminal.tell(`${connection.url} still loads its model`);
      await pause(pauseMs);
    }
  }
}

/** In this process, on a port that nobody else has the key of. */
async function ownServer(model: string, config: Config, terminal: Terminal): Promise<ChatServer> {
  const key = randomBytes(24).toString('base64url');
  const own: Config = {
    ...config,
    model: [model, ...config.model],
    // One person talks: all of the context is theirs.
    parallel: config.parallel ?? 1,
    host: '127.0.0.1',
    port: 0,
    sslCert: undefined,
    sslKey: undefined,
    apiKey: [key],
    keyFile: undefined,
    adminToken: undefined,
    toolsFor: 'keys',
    corsOrigin: [],
    ui: false,
    metrics: 'off',
    chatStore: { kept: false },
    responseStore: undefined,
    // The answer stands where log lines would.
    logLevel: 'silent',
  };
  const { openServer } = await import('../main.ts');
  const progress = createProgress({ terminal: terminal.interactive, write: terminal.writeError });
  const server = await openServer(own, startObserver(own, terminal, progress));
  try {
    const { profile, generates } = await server.loaded.finally(() => progress.end());
    if (!generates) throw new ServeError('invalid_request', `${profile.id} cannot chat: it gives embeddings or ranks.`);
    return { connection: connect({ url: server.url, key }), model: profile.id, close: server.close };
  } catch (error) {
    await server.leave();
    throw error;
  }
}
