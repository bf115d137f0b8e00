import type { Config } from './config.ts';
import { ServeError } from './contract/errors.ts';
import type { ModelProfile } from './contract/model.ts';
import { readTextFile } from './files/read-text.ts';
import type { Listener } from './http/listen.ts';
import type { BuiltServer, StartObserver } from './main/build-server.ts';
import { elapsed } from './main/elapsed.ts';
import { headStart } from './main/head-start.ts';
import { realSystem, type System } from './main/system.ts';

export type { StartObserver } from './main/build-server.ts';
export { type ChatFormatReport, explainChatFormat } from './main/chat-format.ts';

export interface RunningServer {
  readonly url: string;
  readonly profile: ModelProfile;
  /** For people: `CPU, 1 to 2 threads`. */
  readonly device: string;
  /** False: it gives embeddings and ranks only. */
  readonly generates: boolean;
  /** No new work; settles when the running answers are out, or after --drain-timeout. */
  drain(): Promise<void>;
  rereadKeys(): void;
  close(): Promise<void>;
}

/** The builder: config -> house -> port -> model. Rejects with a ServeError that a person can act on. */
export async function startServer(
  config: Config,
  observer: StartObserver,
  system: System = realSystem,
): Promise<RunningServer> {
  const head = await headStart(config);
  const [{ buildServer }, { listen }] = await Promise.all([
    import('./main/build-server.ts'),
    import('./http/listen.ts'),
  ]);
  const server = await buildServer(config, system, head);
  try {
    // The port comes first: probes see a server that is loading, and a taken port ends the load at once.
    const listener = await listen(server.app, {
      host: config.host,
      port: config.port,
      headerTimeoutMs: config.headerTimeout * 1000,
      requestTimeoutMs: (config.headerTimeout + config.bodyTimeout) * 1000,
      ...readTls(config),
    });
    return await loadBehind({ listener, server, system }, observer);
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** For the last bytes of answers whose clients read slowly. */
const longestFlushMs = 2000;

interface Opened {
  readonly listener: Listener;
  readonly server: BuiltServer;
  readonly system: System;
}

async function loadBehind({ listener, server, system }: Opened, observer: StartObserver): Promise<RunningServer> {
  try {
    const { profile, engine } = await server.load(observer, new AbortController().signal);
    return {
      url: listener.url,
      profile,
      device: engine?.info.device ?? 'embeddings only',
      generates: engine !== undefined,
      drain: server.drain,
      rereadKeys: server.rereadKeys,
      async close() {
        await server.finish();
        await Promise.race([listener.close(), elapsed(system, longestFlushMs)]);
        await listener.close({ force: true });
        await server.close();
      },
    };
  } catch (error) {
    await listener.close({ force: true });
    throw error;
  }
}

function readTls({ sslCert, sslKey }: Config) {
  if (sslCert === undefined || sslKey === undefined) return {};
  return { tls: { cert: readPem('--ssl-cert', sslCert), key: readPem('--ssl-key', sslKey) } };
}

function readPem(flag: string, path: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServeError('invalid_request', `${flag} ${path} ${reason}.`, {}, { cause: error });
  }
}
