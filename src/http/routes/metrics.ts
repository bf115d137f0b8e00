import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { checkKey } from '../access/keys.ts';
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
      work: false,
      anyOrigin: true,
      handle: async ({ request }) => {
        if (settings.metrics === 'token') {
          // Without a token nobody gets in: an unset one must not open what was meant to be closed.
          checkKey(
            'admin',
            { headers: request.headers, local: false },
            { apiKeys: [], adminToken: settings.metricsToken },
          );
        }
        return new Response(await metrics.render(), {
          headers: { 'content-type': metrics.contentType, 'cache-control': 'no-store' },
        });
      },
    },
  ];
}
