import type { ChatEntry } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';

/** Every message that an entry names must be in the chat, or stand before it among the new ones. */
export function checkReferences(entries: readonly ChatEntry[], isThere: (message: string) => boolean): void {
  const added = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const named = referenceOf(entry);
    if (named && named.id !== null && !added.has(named.id) && !isThere(named.id)) {
      const param = `entries[${index}].${named.member}`;
      throw new ServeError(
        'invalid_request',
        `\`${param}\` is ${JSON.stringify(named.id)}, but this chat has no such message. Send the message first.`,
        { param },
      );
    }
    if (entry.type === 'message') added.add(entry.entry_id);
  }
}

function referenceOf(entry: ChatEntry): { readonly member: string; readonly id: string | null } | undefined {
  switch (entry.type) {
    case 'message':
      return { member: 'parent', id: entry.parent };
    case 'edit':
    case 'delete':
      return { member: 'target', id: entry.target };
    case 'head':
      return { member: 'head', id: entry.head };
    case 'title':
    case 'pin':
    case 'settings':
      return undefined;
    default:
      return entry satisfies never;
  }
}
