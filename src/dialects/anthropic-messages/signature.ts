/**
 * Clients must send thinking blocks back as they got them, with a signature that only the server reads. Ours proves
 * nothing: a local model's thoughts need no protection. Where the thinking itself was asked to be left out
 * (`display: "omitted"`), the signature carries it, so that the next turn's prompt still has it.
 */
const prefix = 'serve-model-1.';

export const plainSignature = `${prefix}e30`;

export function signatureWith(thinking: string): string {
  return `${prefix}${Buffer.from(JSON.stringify({ thinking }), 'utf8').toString('base64url')}`;
}

/** The thinking that a signature carries; undefined for plain and for other servers' signatures. */
export function thinkingIn(signature: string | undefined): string | undefined {
  if (!signature?.startsWith(prefix)) return undefined;
  try {
    const carried: unknown = JSON.parse(Buffer.from(signature.slice(prefix.length), 'base64url').toString('utf8'));
    const thinking = typeof carried === 'object' && carried !== null ? Reflect.get(carried, 'thinking') : undefined;
    return typeof thinking === 'string' ? thinking : undefined;
  } catch {
    // A damaged signature carries nothing: the conversation goes on without that thought.
    return undefined;
  }
}
