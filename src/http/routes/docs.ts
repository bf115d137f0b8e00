import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import { docsPage } from '../openapi/docs-page.ts';
import { openapiDocument } from '../openapi/document.ts';
import type { Route } from '../route.ts';

/** The API described, for machines and for people. Made when first asked for: most servers are never asked. */
export function docsRoutes(routes: readonly Route[], { version }: Pick<AppDependencies, 'version'>): Route[] {
  const common = { method: 'GET', shape: openaiShape, access: 'key', owns: 'none', work: false } as const;
  let document: string | undefined;
  return [
    {
      ...common,
      paths: ['/openapi.json'],
      handle: () => {
        document ??= JSON.stringify(openapiDocument(routes, version ?? '0.0.0'));
        return new Response(document, { headers: { 'content-type': 'application/json' } });
      },
    },
    { ...common, paths: ['/docs'], handle: () => docsPage(routes) },
  ];
}
