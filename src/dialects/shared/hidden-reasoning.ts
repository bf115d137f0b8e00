const prefix = 'serve-model.';

/**
 * `encrypted_content` of a Responses reasoning item, `signature` of an Anthropic thinking block: a field that clients
 * send back as they got it and that only the server reads. Nothing is secret here: it carries the text for clients that
 * drop it (`store: false`) or asked not to see it (`display: "omitted"`), so that the next prompt still has it.
 */
export function packReasoning(text: string): string {
  return prefix + Buffer.from(text, 'utf8').toString('base64url');
}

/** Undefined for what another server packed: only that one can read it. */
export function unpackReasoning(content: string): string | undefined {
  if (!content.startsWith(prefix)) return undefined;
  return Buffer.from(content.slice(prefix.length), 'base64url').toString('utf8');
}
