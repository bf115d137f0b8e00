import { type Config, parseConfig } from './config.ts';
import { ServeError } from './contract/errors.ts';
import type { Engine } from './engine/engine.ts';
import { buildServer } from './main/build-server.ts';
import { headStart } from './main/head-start.ts';
import { locateStartModels } from './main/start-models.ts';
import { realSystem } from './main/system.ts';

export type { Config } from './config.ts';
export type { GenerationEvent } from './contract/events.ts';
export type { ModelProfile } from './contract/model.ts';
export type { GenerationRequest } from './contract/request.ts';
export type { Engine } from './engine/engine.ts';
export { ServeError };

/** The command line's flags as members: `{model: ['model.gguf'], ctxSize: 8192}`. Absent ones take their defaults. */
export type ServerOptions = Partial<Config>;

/** The server without a port: to be mounted in another app, called in a test, or put behind any listener. */
export interface EmbeddedServer {
  /** The Hono app with every route. */
  readonly app: Awaited<ReturnType<typeof buildServer>>['app'];
  /** Web standards in and out. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** The loaded model's engine, for work below the API. With `embeddings` there is none: reading it throws. */
  readonly engine: Engine;
  close(): Promise<void>;
}

/** Loads the model and resolves when it is ready. Throws ServeError with a sentence that says what to do. */
export async function createServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const defaults = parseConfig([], {});
  if (defaults.command !== 'serve') throw new Error('No arguments mean to serve.');
  // A program that holds the server inside keeps nothing of its users' unasked.
  const config: Config = { ...defaults.config, logLevel: 'warn', chatStore: { kept: false }, ...options };
  const models = await locateStartModels(config);
  const server = await buildServer(config, realSystem, { models, head: await headStart(config, models) });
  try {
    const { engine } = await server.load({ progress: () => undefined }, new AbortController().signal);
    return {
      app: server.app,
      fetch: async (request) => server.app.fetch(request),
      get engine() {
        if (!engine) throw new ServeError('not_implemented', 'A server for embeddings only has no engine for text.');
        return engine;
      },
      close: server.close,
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
