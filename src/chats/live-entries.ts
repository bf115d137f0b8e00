import type { ChatEntry } from '../contract/chats.ts';

/**
 * What of a log still counts, in its order. Of titles, pins, settings and heads the last one stays, of edits and deletions the last
 * one of each message. Messages stay, deleted ones too: a deletion may be taken back.
 */
export function liveEntries(entries: readonly ChatEntry[]): ChatEntry[] {
  const last = new Map<string, ChatEntry>();
  for (const entry of entries) last.set(placeOf(entry), entry);
  return entries.filter((entry) => last.get(placeOf(entry)) === entry);
}

/** Entries of one place replace each other. */
export function placeOf(entry: ChatEntry): string {
  switch (entry.type) {
    case 'message':
      return `message ${entry.entry_id}`;
    case 'edit':
    case 'delete':
      return `${entry.type} ${entry.target}`;
    case 'title':
    case 'pin':
    case 'settings':
    case 'head':
      return entry.type;
    default:
      return entry satisfies never;
  }
}
