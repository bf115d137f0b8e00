const prefix = 'serve-model.';

/**
 * `encrypted_content` of a reasoning item. Nothing is secret here: the client has the text anyway. Clients that keep no
 * items on the server (`store: false`) send back this field and drop the text, so the text travels in it.
 */
export function packReasoning(text: string): string {
  return prefix + Buffer.from(text, 'utf8').toString('base64url');
}

/** Undefined for what another server packed: only that one can read it. */
export function unpackReasoning(content: string): string | undefined {
  if (!content.startsWith(prefix)) return undefined;
  return Buffer.from(content.slice(prefix.length), 'base64url').toString('utf8');
}
