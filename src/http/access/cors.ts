import { originAllowed } from './origin.ts';

/** Headers that let an allowed page read the answer; none for requests that come from no page. */
export function corsHeaders(headers: Headers, corsOrigins: readonly string[]): Record<string, string> {
  const origin = headers.get('origin');
  if (origin === null || !originAllowed(origin, headers.get('host') ?? '', corsOrigins)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'x-request-id, request-id, retry-after, x-serve-model-warning',
    vary: 'origin',
  };
}

/** The answer to a browser's question whether it may send the real request. It carries no key, so it needs none. */
export function preflightResponse(headers: Headers, corsOrigins: readonly string[]): Response {
  const allowed = corsHeaders(headers, corsOrigins);
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
