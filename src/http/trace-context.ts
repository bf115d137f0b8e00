const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The caller's place in a trace, W3C `traceparent`: version-traceid-parentid-flags. One that says nothing is none. */
export function traceparentOf(headers: Headers): string | undefined {
  const given = headers.get('traceparent');
  return given !== null && given.length <= 128 && pattern.test(given) ? given : undefined;
}
