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
