import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { Hono } from 'hono';
import { ServeError, toServeError } from '../contract/errors.ts';
import { checkAccess, isLocalCaller } from './access/check-access.ts';
import { corsHeaders, preflightResponse } from './access/cors.ts';
import type { Keyring } from './access/keyring.ts';
import { checkOrigin, type Pages } from './access/origin.ts';
import { checkToolCaller } from './access/server-tools.ts';
import type { AppDependencies } from './dependencies.ts';
import { errorResponse } from './error-response.ts';
import { Exchange } from './exchange.ts';
import { requestIdOf, traceparentOf } from './headers.ts';
import { createGate, type Gate } from './limits/gate.ts';
import type { Route } from './route.ts';
import { routeTable } from './route-table.ts';
import { allowHeader, refusals, unknownRoute } from './unknown-routes.ts';

/** On a socket the adapter hands the native request along; without one (app.request, embedding) there is none. */
type Env = { Bindings: Partial<HttpBindings> };

/** The door: every route of the server, on web standards. */
export function createApp(dependencies: AppDependencies): Hono<Env> {
  const gate = createGate(dependencies);
  const routes = routeTable(dependencies, gate);
  dependencies.stopping?.addEventListener('abort', () => refuseRunning(gate), { once: true });
  const answer = (context: Context<Env>, route: Route, path?: string) =>
    answerOne({ context, route, path, gate, dependencies });
  const app = new Hono<Env>({ strict: false });
  for (const route of routes)
    for (const path of route.paths) app.on(route.method, path, (context) => answer(context, route, path));
  for (const [path, row] of refusals(routes)) app.all(path, (context) => answer(context, row));
  app.notFound((context) => answer(context, unknownRoute(context.req.path, routes)));
  return app;
}

interface Arrival {
  readonly context: Context<Env>;
  readonly route: Route;
  /** The one of the row's paths that fits; undefined for what is no row of the table. */
  readonly path: string | undefined;
  readonly gate: Gate;
  readonly dependencies: AppDependencies;
}

/** One request through the checks, its handler and back. Everything thrown becomes the route's own error body. */
async function answerOne(arrival: Arrival): Promise<Response> {
  const { context, route, gate, dependencies } = arrival;
  const request = context.req.raw;
  const keyring = dependencies.keyring();
  const exchange = new Exchange(
    request,
    {
      path: context.req.path,
      route: arrival.path?.replace(/\{[^}]*\}/g, ''),
      parameters: context.req.param(),
      requestId: requestIdOf(request.headers, dependencies.newId),
      shape: route.shape,
      caller: keyring.identify(request.headers, isLocalCaller(request.headers, context.env)),
    },
    dependencies,
  );
  const traceparent = traceparentOf(request.headers);
  if (traceparent !== undefined) exchange.note({ traceparent });
  const response = await handle({ ...arrival, keyring }, exchange);
  for (const [name, value] of Object.entries(await headersFor(exchange, route, gate, dependencies)))
    response.headers.set(name, value);
  // RFC 9112 6.1: who speaks HTTP/1.0 does not know it, and would take the sizes of the chunks for text.
  if (context.env?.incoming?.httpVersion === '1.0') response.headers.delete('transfer-encoding');
  if (!exchange.streaming) exchange.end(response.status);
  return response;
}

async function headersFor(
  exchange: Exchange,
  route: Route,
  gate: Gate,
  { settings }: AppDependencies,
): Promise<Record<string, string>> {
  const { request, requestId } = exchange;
  const { requestIdHeader } = route.shape;
  return {
    'x-request-id': requestId,
    ...(requestIdHeader !== undefined && { [requestIdHeader]: requestId }),
    ...(await gate.headers(exchange)),
    ...corsHeaders(request, { ...settings, pages: pagesOf(route) }),
  };
}

async function handle(arrival: Arrival & { readonly keyring: Keyring }, exchange: Exchange): Promise<Response> {
  const { context, route, gate, dependencies, keyring } = arrival;
  try {
    admit(arrival, exchange, keyring);
    if (context.req.method === 'OPTIONS')
      return preflightResponse(exchange.request, { ...dependencies.settings, pages: pagesOf(route) });
    if (route.work) await enter(exchange, gate, dependencies);
    return await route.handle(exchange);
  } catch (thrown) {
    const error = toServeError(thrown);
    exchange.note({ outcome: error.code, error: error.message });
    if (error.code === 'internal')
      dependencies.telemetry.log('error', 'request failed', {
        requestId: exchange.requestId,
        error: error.cause ?? error,
      });
    return errorResponse(route.shape, error, error.code === 'method_not_allowed' ? allowHeader(route) : {});
  }
}

function pagesOf({ pages = 'local' }: Route): Pages {
  return pages;
}

function admit({ context, route, dependencies }: Arrival, exchange: Exchange, keyring: Keyring): void {
  const { caller } = exchange;
  const { headers } = context.req.raw;
  const asksOnly = context.req.method === 'OPTIONS';
  const needsHost = context.env?.incoming !== undefined && !asksOnly;
  const pages = pagesOf(route);
  checkOrigin(context.req.raw, { ...dependencies.settings, hasKeys: keyring.hasKeys, needsHost, pages });
  if (asksOnly) return;
  checkAccess(route.access, caller, headers, keyring);
  if (route.access === 'tools') checkToolCaller(exchange, dependencies);
}

/** Answers that have text end by themselves; this is for all other work under way. */
function refuseRunning(gate: Gate): void {
  const reason = new ServeError(
    'draining',
    'The server stopped before this was done. Ask again, another one will answer.',
  );
  for (const exchange of gate.running()) exchange.abort(reason);
}

/** New work: not while the server drains, and within the limits. */
async function enter(exchange: Exchange, gate: Gate, { models }: AppDependencies): Promise<void> {
  if (models.state() === 'draining')
    throw new ServeError(
      'draining',
      'The server is about to stop and takes no new work. Ask again, another one will answer.',
    );
  await gate.enter(exchange);
}
