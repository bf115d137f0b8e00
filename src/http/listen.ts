import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Http2Bindings, HttpBindings } from '@hono/node-server';
import { getRequestListener, RequestError } from '@hono/node-server';
import { ServeError } from '../contract/errors.ts';
import { answerClientError, answerFailure, answerRequestError } from './client-error.ts';

/** An app, or whatever else answers requests on web standards. */
export interface Fetcher {
  fetch(request: Request, bindings: HttpBindings | Http2Bindings): Response | Promise<Response>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** A client must have sent its headers, and the whole request, within these times. Milliseconds. */
  readonly headerTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Listener {
  /** As a person would type it: a wildcard address is shown as localhost. */
  readonly url: string;
  readonly port: number;
  /** No new connections; settles when the last answer is out. `force` cuts what is still running. */
  close(options?: { readonly force?: boolean }): Promise<void>;
}

/** Puts the app on a port. Rejects with a ServeError that says what to do when that is not possible. */
export async function listen(app: Fetcher, options: ListenOptions): Promise<Listener> {
  const server = createServer(app, options);
  await bind(server, options);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `${options.tls ? 'https' : 'http'}://${shownHost(options.host)}:${port}`,
    port,
    close: ({ force = false } = {}) => close(server, force),
  };
}

function createServer(app: Fetcher, { tls, headerTimeoutMs, requestTimeoutMs }: ListenOptions): Server {
  const listener = getRequestListener((request, bindings) => app.fetch(request, bindings), {
    overrideGlobalObjects: false,
    // For the address of requests without a Host header. Whether one may do without is for the app to say: probes may.
    hostname: 'localhost',
    errorHandler: (error) => (error instanceof RequestError ? answerRequestError() : answerFailure(error)),
  });
  const options = {
    headersTimeout: headerTimeoutMs,
    requestTimeout: Math.max(requestTimeoutMs, headerTimeoutMs),
    requireHostHeader: false,
    keepAliveTimeout: 75_000,
    // Slow requests are looked for at this pace; half a minute, the default, is long for a limit of 15 s.
    connectionsCheckingInterval: 5_000,
  };
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // Kept-alive connections count as open until they time out; a server that closes lets each go after its answer.
    outgoing.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
    // The adapter answers a rejected promise itself; nothing is left to wait for here.
    void listener(incoming, outgoing);
  };
  const server = tls ? createHttpsServer({ ...options, ...tls }, onRequest) : createHttpServer(options, onRequest);
  server.on('clientError', answerClientError);
  return server;
}

function bind(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(error, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

const reasons: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (host, port) =>
    `Port ${port} on ${host} is taken by another program. Choose another one with --port, or --port 0 for any free one.`,
  EACCES: (host, port) => `This user may not listen on port ${port} of ${host}. Choose a --port above 1023.`,
  EADDRNOTAVAIL: (host) =>
    `${host} is no address of this machine. Choose another --host: 127.0.0.1 for this machine only, 0.0.0.0 for all of its addresses.`,
  ENOTFOUND: (host) =>
    `The host name ${host} is not known. Choose another --host: 127.0.0.1 for this machine only, 0.0.0.0 for all of its addresses.`,
};

function bindError(error: NodeJS.ErrnoException, host: string, port: number): ServeError {
  const sentence = reasons[error.code ?? '']?.(host, port) ?? `Cannot listen on ${host}:${port}: ${error.message}.`;
  return new ServeError('invalid_request', sentence, {}, { cause: error });
}

function close(server: Server, force: boolean): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if (force) server.closeAllConnections();
    else server.closeIdleConnections();
  });
}

function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
