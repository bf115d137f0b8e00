import { embeddedConfig, type ServerOptions } from './config.ts';
import { ServeError } from './contract/errors.ts';
import type { GenerationEvent } from './contract/events.ts';
import type { GenerateRequest } from './contract/generate-request.ts';
import { neverAborted } from './contract/signals.ts';
import type { Engine } from './engine/engine.ts';
import { embeddedGenerate } from './generation/embedded-generate.ts';
import { buildServer } from './main/build-server.ts';
import { layGround } from './main/head-start.ts';
import { realSystem } from './main/system.ts';

export type { Config, ServerOptions } from './config.ts';
export type { GenerationEvent } from './contract/events.ts';
export type { GenerateRequest } from './contract/generate-request.ts';
export type { ModelProfile } from './contract/model.ts';
export type { GenerationRequest } from './contract/request.ts';
export type { Engine } from './engine/engine.ts';
export { ServeError };

/** The server without a port: to be mounted in another app, called in a test, or put behind any listener. */
export interface EmbeddedServer {
  /** The Hono app with every route. */
  readonly app: Awaited<ReturnType<typeof buildServer>>['app'];
  /** Web standards in and out. */
  readonly fetch: (request: Request) => Promise<Response>;
  /**
   * One answer as typed events, below the APIs and above the engine: `start`, then blocks that open, grow and close, then
   * one `finish` with usage and reason. It waits in the same queue, reuses the same prompts and follows the same template
   * as the routes; keys, log lines and usage accounts are the door's, and not here. Leaving the loop stops the work, and so
   * does the signal, within a step; the loop then throws a ServeError `client_closed`.
   *
   * ```ts
   * for await (const event of server.generate({ prompt: { type: 'chat', messages: [{ role: 'user', content: 'Hello!' }] } }))
   *   if (event.type === 'block-delta') process.stdout.write(event.delta);
   * ```
   *
   * Throws a ServeError at the first step where the request cannot be served (`context_length_exceeded`, `overloaded`,
   * `model_not_found`, `invalid_request` for a grammar, a schema or a token that is none). What the types say is not
   * checked again.
   */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerationEvent, void, undefined>;
  /** The loaded model's engine, for work below the API. With `embeddings` there is none: reading it throws. */
  readonly engine: Engine;
  close(): Promise<void>;
}

/**
 * Loads the model and resolves when it is ready. Throws ServeError with a sentence that says what to do.
 *
 * ```ts
 * const server = await createServer({ model: ['model.gguf'], ctxSize: 8192 });
 * const response = await server.fetch(new Request('http://localhost/v1/models'));
 * await server.close();
 * ```
 */
export async function createServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const config = embeddedConfig(options);
  const server = await buildServer(config, realSystem, await layGround(config));
  try {
    const { engine } = await server.load({ progress: () => undefined }, neverAborted());
    return {
      app: server.app,
      fetch: async (request) => server.app.fetch(request),
      generate: (request, signal) => embeddedGenerate(server.generation, request, signal),
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
