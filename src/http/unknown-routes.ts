import { ServeError } from '../contract/errors.ts';
import { openaiShape } from '../dialects/shared/openai-error.ts';
import type { Pages } from './access/origin.ts';
import type { ErrorShape } from './error-response.ts';
import type { Route } from './route.ts';

/** Rows that catch what a known path does not answer, with the methods that it does. */
export function refusals(routes: readonly Route[]): Map<string, Route> {
  const rows = new Map<string, Route>();
  for (const { paths, shape } of routes)
    for (const path of paths) {
      const served = routes.filter((route) => route.paths.includes(path));
      rows.set(path, refusal(path, shape, served));
    }
  return rows;
}

function refusal(path: string, shape: ErrorShape, served: readonly Route[]): Route & { allow: string } {
  const methods = served.map(({ method }) => method);
  const allow = [
    ...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
    'OPTIONS',
  ].join(', ');
  return {
    method: 'GET',
    paths: [path],
    shape,
    access: 'open',
    owns: 'none',
    work: false,
    pages: narrowest(served),
    allow,
    handle: (exchange) => {
      throw new ServeError(
        'method_not_allowed',
        `${exchange.request.method} is not possible on ${path}. Use ${allow}.`,
      );
    },
  };
}

function narrowest(rows: readonly Route[]): Pages {
  if (rows.some(({ pages }) => pages === 'own')) return 'own';
  return rows.every(({ pages }) => pages === 'any') ? 'any' : 'local';
}

export function allowHeader(route: Route): Record<string, string> {
  return 'allow' in route && typeof route.allow === 'string' ? { allow: route.allow } : {};
}

/** A path that is nobody's still lies in somebody's neighbourhood: its clients should understand the error. */
export function unknownRoute(path: string, routes: readonly Route[]): Route {
  const neighbour = routes.find((route) => route.paths.some((known) => path.startsWith(`${known}/`)));
  return {
    method: 'GET',
    paths: [path],
    shape: neighbour?.shape ?? openaiShape,
    access: 'open',
    owns: 'none',
    work: false,
    handle: (exchange) => {
      throw new ServeError(
        'not_found',
        `There is no ${exchange.request.method} ${path} here. GET /docs leads to all of them; most begin with /v1.`,
      );
    },
  };
}
