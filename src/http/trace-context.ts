/** The trace id of a W3C `traceparent` header (version-traceid-parentid-flags), for the log line; all zeros means none. */
export function traceIdOf(headers: Headers): string | undefined {
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(
    headers.get('traceparent') ?? '',
  );
  const [, trace, parent] = match ?? [];
  if (trace === undefined || parent === undefined || /^0+$/.test(trace) || /^0+$/.test(parent)) return undefined;
  return trace;
}
