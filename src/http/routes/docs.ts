import { ServeError } from '../../contract/errors.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { openapiDocument } from '../openapi/document.ts';
import { routesPage } from '../openapi/routes-page.ts';
import { guidePolicy } from '../page/page-policy.ts';
import { fileResponse } from '../page/static-file.ts';
import type { Route } from '../route.ts';

const pageHeaders = {
  'cache-control': 'no-cache',
  'content-security-policy': guidePolicy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** The guides, and the API described for machines and for people. Made when first asked for: most servers are never asked. */
export function docsRoutes(
  routes: readonly Route[],
  { version, guides }: Pick<AppDependencies, 'version' | 'guides'>,
): Route[] {
  const common = { method: 'GET', shape: openaiShape, access: 'key', owns: 'none', work: false } as const;
  // A browser that follows a link sends no key, and the guides are the package's own.
  const open = { ...common, access: 'open' } as const;
  let document: string | undefined;
  const guide = (exchange: Exchange, name: string) => {
    const found = guides?.find(/\.(css|svg|webp)$/.test(name) ? name : `${name}.html`);
    if (found === undefined) {
      throw new ServeError('not_found', `There is no guide ${JSON.stringify(name)}. GET /docs leads to all of them.`);
    }
    return fileResponse(exchange, found, pageHeaders);
  };
  return [
    {
      ...common,
      paths: ['/openapi.json'],
      handle: () => {
        document ??= JSON.stringify(openapiDocument(routes, version ?? '0.0.0'));
        return new Response(document, { headers: { 'content-type': 'application/json' } });
      },
    },
    {
      ...open,
      paths: ['/docs'],
      handle: (exchange) =>
        guides ? guide(exchange, 'index') : new Response(null, { status: 302, headers: { location: 'docs/routes' } }),
    },
    { ...open, paths: ['/docs/routes'], handle: () => routesPage(routes, pageHeaders) },
    { ...open, paths: ['/docs/:guide{.+}'], handle: (exchange) => guide(exchange, exchange.parameters.guide ?? '') },
  ];
}
