import type { RequestRecord } from '../contract/services.ts';

/** Routes whose last part is a name that clients make up. */
const withIds = ['/v1/models/', '/v1/responses/', '/v1/chat/completions/', '/api/inference/models/'];

/** Answers that any path can get, whether there is such a route or not. */
const refusals: ReadonlySet<number> = new Set([401, 403, 404, 405]);

/** Beyond this many different routes something is wrong, and memory must not grow with it. */
const mostRoutes = 100;

/**
 * Path -> label. Labels live for ever in a metrics registry, so what clients make up must not become one: ids become
 * `:id`, refused paths `unknown`, and beyond 100 routes everything is `other`.
 */
export function createRouteLabels(): (record: Pick<RequestRecord, 'path' | 'status'>) => string {
  const known = new Set<string>();
  return ({ path, status }) => {
    const prefix = withIds.find((candidate) => path.startsWith(candidate) && path.length > candidate.length);
    if (prefix === undefined && refusals.has(status)) return 'unknown';
    const label = prefix === undefined ? path : `${prefix}:id`;
    if (known.size >= mostRoutes && !known.has(label)) return 'other';
    known.add(label);
    return label;
  };
}
