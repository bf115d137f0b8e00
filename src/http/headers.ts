/** The caller's id where it is fit for headers and logs, else a new one. */
export function requestIdOf(headers: Headers, newId: () => string): string {
  const given = headers.get('x-request-id');
  return given !== null && /^[\x21-\x7e]{1,128}$/.test(given) ? given : `req_${newId()}`;
}

const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The caller's place in a trace, W3C `traceparent`: version-traceid-parentid-flags. One that says nothing is none. */
export function traceparentOf(headers: Headers): string | undefined {
  const given = headers.get('traceparent');
  return given !== null && given.length <= 128 && traceparent.test(given) ? given : undefined;
}

/**
 * Headers that clients send already and that name a conversation: Claude Code, OpenCode, Codex (two spellings), gateways,
 * llama.cpp's web UI. The first one found counts; a session_id in the body wins over all of them.
 */
const sessionHeaders = [
  'x-claude-code-session-id',
  'x-session-affinity',
  'session-id',
  'session_id',
  'x-session-id',
  'x-conversation-id',
] as const;

const maxKeyCharacters = 512;

export function sessionKey(headers: Headers): string | undefined {
  for (const name of sessionHeaders) {
    const value = headers.get(name);
    if (value) return value.slice(0, maxKeyCharacters);
  }
  return undefined;
}

/** What the client should know although it got its answer. Header values are ASCII without line breaks. */
export function warningHeader(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {};
  return {
    'x-serve-model-warning': [...new Set(warnings)]
      .join('; ')
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 2000),
  };
}
