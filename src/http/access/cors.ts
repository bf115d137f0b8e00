import { type OriginRules, originAllowed } from './origin.ts';

type PageRules = Pick<OriginRules, 'corsOrigins' | 'pages'>;

/** Headers that let an allowed page read the answer; none for requests that come from no page. */
export function corsHeaders(request: Request, rules: PageRules): Record<string, string> {
  const origin = request.headers.get('origin');
  if (origin === null || !originAllowed(origin, request, rules)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'x-request-id, request-id, retry-after, x-serve-model-warning, x-serve-model-run',
    vary: 'origin',
  };
}

/** The answer to a browser's question whether it may send the real request. It carries no key, so it needs none. */
export function preflightResponse(request: Request, rules: PageRules): Response {
  const { headers } = request;
  const allowed = corsHeaders(request, rules);
  const asked = headers.get('access-control-request-headers');
  return new Response(null, {
    status: 204,
    headers: {
      ...allowed,
      'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
      ...(asked !== null && { 'access-control-allow-headers': asked }),
      ...(headers.has('access-control-request-private-network') && { 'access-control-allow-private-network': 'true' }),
      'access-control-max-age': '600',
    },
  });
}
