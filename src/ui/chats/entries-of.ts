import type { ChatEntry } from './entries.ts';
import type { Chat } from './tree.ts';

type NewEntry = { readonly entry_id: string; readonly time: number };

/** Entries that make a chat anew where there is nothing of it. An answer that is being written is not in them. */
export function entriesOf(chat: Chat, newEntry: () => NewEntry): ChatEntry[] {
  // Each behind its parent: so they were added.
  const messages = [...chat.messages.values()].filter(
    (message) => message.role === 'user' || message.outcome !== undefined,
  );
  const { title, named, pinned, settings, head } = chat;
  return [
    ...messages.map((message): ChatEntry => ({ entry_id: message.id, time: message.time, type: 'message', message })),
    ...(title === '' ? [] : [{ ...newEntry(), type: 'title', title, by: named ? 'person' : 'page' } as const]),
    ...(pinned ? [{ ...newEntry(), type: 'pin', pinned } as const] : []),
    ...(Object.keys(settings).length > 0 ? [{ ...newEntry(), type: 'settings', settings } as const] : []),
    ...(messages.some(({ id }) => id === head) && head !== null
      ? [{ ...newEntry(), type: 'head', head } as const]
      : []),
  ];
}
