import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { Hono } from 'hono';
import { ServeError, toServeError } from '../contract/errors.ts';
import { openaiShape } from '../dialects/shared/openai-error.ts';
import { corsHeaders, preflightResponse } from './access/cors.ts';
import { checkKey } from './access/keys.ts';
import { isLocalCaller } from './access/local-caller.ts';
import { checkOrigin } from './access/origin.ts';
import type { AppDependencies } from './dependencies.ts';
import type { ErrorShape } from './error-response.ts';
import { errorResponse } from './error-response.ts';
import { Exchange } from './exchange.ts';
import { requestIdOf } from './request-id.ts';
import type { Route } from './route.ts';
import { controlRoutes } from './routes/control.ts';
import { countTokensRoutes } from './routes/count-tokens.ts';
import { frontPageRoutes } from './routes/front-page.ts';
import { generationRoutes } from './routes/generation.ts';
import { healthRoutes } from './routes/health.ts';
import { modelRoutes } from './routes/models.ts';
import { ollamaRoutes } from './routes/ollama.ts';
import { responsesRoutes } from './routes/responses.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { vectorRoutes } from './routes/vectors.ts';

/** On a socket the adapter hands the native request along; without one (app.request, embedding) there is none. */
type Env = { Bindings: Partial<HttpBindings> };

/** The door: every route of the server, on web standards. */
export function createApp(dependencies: AppDependencies): Hono<Env> {
  const routes = [
    ...generationRoutes(dependencies),
    ...countTokensRoutes(dependencies),
    ...responsesRoutes(dependencies),
    ...vectorRoutes(dependencies),
    ...tokenRoutes(dependencies),
    ...ollamaRoutes(dependencies),
    ...modelRoutes(dependencies),
    ...(dependencies.control ? controlRoutes(dependencies, dependencies.control) : []),
    ...healthRoutes(dependencies),
    ...frontPageRoutes(dependencies),
  ];
  const app = new Hono<Env>({ strict: false });
  for (const route of routes) app.on(route.method, [...route.paths], (context) => answer(context, route, dependencies));
  for (const [path, row] of refusals(routes)) app.all(path, (context) => answer(context, row, dependencies));
  app.notFound((context) => answer(context, unknownRoute(context, routes), dependencies));
  return app;
}

/** One request through the checks, its handler and back. Everything thrown becomes the route's own error body. */
async function answer(context: Context<Env>, route: Route, dependencies: AppDependencies): Promise<Response> {
  const request = context.req.raw;
  const exchange = new Exchange(
    request,
    {
      path: context.req.path,
      parameters: context.req.param(),
      requestId: requestIdOf(request.headers, dependencies.newId),
      shape: route.shape,
      local: isLocalCaller(request.headers, context.env),
    },
    dependencies,
  );
  const response = await handle(context, route, exchange, dependencies);
  const { headers } = response;
  headers.set('x-request-id', exchange.requestId);
  if (route.shape.name === 'anthropic-messages') headers.set('request-id', exchange.requestId);
  for (const [name, value] of Object.entries(corsHeaders(request.headers, dependencies.settings.corsOrigins)))
    headers.set(name, value);
  if (!exchange.streaming) exchange.end(response.status);
  return response;
}

async function handle(
  context: Context<Env>,
  route: Route,
  exchange: Exchange,
  dependencies: AppDependencies,
): Promise<Response> {
  try {
    if (route.anyOrigin !== true) admit(context, route, exchange, dependencies);
    if (context.req.method === 'OPTIONS')
      return preflightResponse(exchange.request.headers, dependencies.settings.corsOrigins);
    if (route.work && dependencies.models.state() === 'draining')
      throw new ServeError(
        'draining',
        'The server is about to stop and takes no new work. Ask again, another one will answer.',
      );
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

function admit(context: Context<Env>, route: Route, { local }: Exchange, { settings }: AppDependencies): void {
  const { headers } = context.req.raw;
  checkOrigin(headers, { ...settings, hasKeys: settings.apiKeys.length > 0 });
  if (context.req.method === 'OPTIONS') return;
  checkKey(route.access, { headers, local }, settings);
}

/** Rows that catch what a known path does not answer, with the methods that it does. */
function refusals(routes: readonly Route[]): Map<string, Route> {
  const rows = new Map<string, Route>();
  for (const { paths, shape } of routes)
    for (const path of paths) {
      const methods = routes.filter((route) => route.paths.includes(path)).map((route) => route.method);
      rows.set(path, refusal(path, shape, methods));
    }
  return rows;
}

function refusal(path: string, shape: ErrorShape, methods: readonly Route['method'][]): Route & { allow: string } {
  const allow = [
    ...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
    'OPTIONS',
  ].join(', ');
  return {
    method: 'GET',
    paths: [path],
    shape,
    access: 'open',
    work: false,
    allow,
    handle: (exchange) => {
      throw new ServeError(
        'method_not_allowed',
        `${exchange.request.method} is not possible on ${path}. Use ${allow}.`,
      );
    },
  };
}

function allowHeader(route: Route): Record<string, string> {
  return 'allow' in route && typeof route.allow === 'string' ? { allow: route.allow } : {};
}

/** A path that is nobody's still lies in somebody's neighbourhood: its clients should understand the error. */
function unknownRoute(context: Context<Env>, routes: readonly Route[]): Route {
  const path = context.req.path;
  const neighbour = routes.find((route) => route.paths.some((known) => path.startsWith(`${known}/`)));
  return {
    method: 'GET',
    paths: [path],
    shape: neighbour?.shape ?? openaiShape,
    access: 'open',
    work: false,
    handle: (exchange) => {
      throw new ServeError(
        'not_found',
        `There is no ${exchange.request.method} ${path} here. The README lists the routes; most begin with /v1.`,
      );
    },
  };
}
