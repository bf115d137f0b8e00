import { ServeError } from '../../contract/errors.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { givenKey, isToken } from '../access/keyring.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Route } from '../route.ts';

/**
 * GET /metrics, on the serving port and without the API keys: gateways scrape there and have no way to send one. It has a
 * token of its own where it is not public.
 */
export function metricsRoutes({ metrics, settings }: AppDependencies): Route[] {
  if (!metrics || settings.metrics === 'off') return [];
  return [
    {
      method: 'GET',
      paths: ['/metrics'],
      shape: openaiShape,
      access: 'open',
      owns: 'none',
      work: false,
      pages: 'any',
      handle: async ({ request }) => {
        if (settings.metrics === 'token') checkToken(request.headers, settings.metricsToken);
        return new Response(await metrics.render(), {
          headers: { 'content-type': metrics.contentType, 'cache-control': 'no-store' },
        });
      },
    },
  ];
}

/** Without a token nobody gets in: an unset one must not open what was meant to be closed. */
function checkToken(headers: Headers, token: string | undefined): void {
  if (token !== undefined && isToken(givenKey(headers), token)) return;
  throw new ServeError(
    'unauthorized',
    'The metrics ask for the token of --metrics-token, as "Authorization: Bearer ...".',
  );
}
