import type { Config } from './config.ts';
import { ServeError } from './contract/errors.ts';
import type { ModelProfile } from './contract/model.ts';
import type { Listener } from './http/listen.ts';
import type { BuiltServer } from './main/build-server.ts';
import { templateChild } from './main/entries.ts';
import { layGround } from './main/head-start.ts';
import { listenSettings } from './main/listen-settings.ts';
import { elapsed, realSystem, type System } from './main/system.ts';
import type { StartObserver } from './models/start-observer.ts';
import type { ChatFormatReport } from './templates/protocol.ts';
import { createTemplatePool } from './templates/template-pool.ts';
import { explainTemplates } from './templates/workshop.ts';

export { type BareModel, bareModel } from './main/bare-model.ts';
export { doctorChild, quantizeChild } from './main/entries.ts';
export type { StartObserver } from './models/start-observer.ts';
export type { ChatFormatReport } from './templates/protocol.ts';

/** A server whose models are loaded. */
export interface LoadedFacts {
  readonly profile: ModelProfile;
  /** For people: `CPU, 1 to 2 threads`. */
  readonly device: string;
  /** False: it gives embeddings and ranks only. */
  readonly generates: boolean;
}

/** A server that listens; its models may still be on their way. */
export interface OpenServer {
  readonly url: string;
  /** Rejects with a ServeError for a person when a model cannot be had. The server listens all the same. */
  readonly loaded: Promise<LoadedFacts>;
  /** No new work; settles when the running answers are out, or after --drain-timeout. */
  drain(): Promise<void>;
  rereadKeys(): void;
  /** Ends what runs in its own words and closes the port: enough for a process that ends, whatever it is loading. */
  leave(): Promise<void>;
  /** Leaves, gives up what is loading, and gives the memory back. */
  close(): Promise<void>;
}

export interface RunningServer extends LoadedFacts, Omit<OpenServer, 'loaded' | 'leave'> {}

/**
 * The builder: config -> house -> port, with the models after it. Rejects with a ServeError that a person can act on
 * where something is known to be wrong before the port is open: a path, a file, a flag, the port itself.
 */
export async function openServer(
  config: Config,
  observer: StartObserver,
  system: System = realSystem,
): Promise<OpenServer> {
  const ground = await layGround(config);
  const [{ buildServer }, { listen }] = await Promise.all([
    import('./main/build-server.ts'),
    import('./http/listen.ts'),
  ]);
  const server = await buildServer(config, system, ground);
  try {
    const listener = await listen(server.app, listenSettings(config));
    observer.listening?.(listener.url);
    return loadBehind({ listener, server, system }, observer);
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** The same with its models loaded: rejects, and has closed everything, when one cannot be had. */
export async function startServer(
  config: Config,
  observer: StartObserver,
  system: System = realSystem,
): Promise<RunningServer> {
  const { loaded, ...server } = await openServer(config, observer, system);
  try {
    return { ...(await loaded), ...server };
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

function loadBehind({ listener, server, system }: Opened, observer: StartObserver): OpenServer {
  const givenUp = new AbortController();
  const loaded = server.load(observer, givenUp.signal).then(({ profile, engine }) => ({
    profile,
    device: engine?.info.device ?? 'embeddings only',
    generates: engine !== undefined,
  }));
  loaded.catch(() => undefined); // whoever waits for it is told
  const leave = async () => {
    await server.finish();
    await Promise.race([listener.close(), elapsed(system, longestFlushMs)]);
    await listener.close({ force: true });
  };
  return {
    url: listener.url,
    loaded,
    drain: server.drain,
    rereadKeys: server.rereadKeys,
    leave,
    async close() {
      givenUp.abort(new ServeError('cancelled', 'The server was stopped while it started.'));
      await leave();
      await server.close();
    },
  };
}

/** How the format of a model's answers is found, without loading it. Its template runs in another process. */
export async function explainChatFormat(
  { chatTemplate, toolTemplate, chatFormat }: Pick<ModelProfile, 'chatTemplate' | 'toolTemplate' | 'chatFormat'>,
  signal: AbortSignal,
): Promise<ChatFormatReport> {
  const templates = createTemplatePool(templateChild, realSystem.timers);
  try {
    return await explainTemplates(templates, { chatTemplate, toolTemplate, chatFormat }, signal);
  } finally {
    templates.close();
  }
}
