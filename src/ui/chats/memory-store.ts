import type { ChatEntry, ChatSummary } from './entries.ts';
import { type ChatStore, excerptOf, queryWords, type Unfinished } from './store.ts';
import { type Chat, emptyChat, foldEntries, searchText } from './tree.ts';

/** Chats for as long as the page is open. */
export function memoryStore(now: () => number): ChatStore {
  const logs = new Map<string, ChatEntry[]>();
  const removed = new Set<string>();
  const files = new Map<string, Blob>();
  const partials = new Map<string, Unfinished>();
  const chatOf = (id: string): Chat => foldEntries(emptyChat(id, logs.get(id)?.[0]?.time ?? now()), logs.get(id) ?? []);
  const chats = () =>
    [...logs.keys()]
      .filter((id) => !removed.has(id))
      .map(chatOf)
      .sort((left, right) => right.updatedAt - left.updatedAt);
  return {
    list: async () =>
      chats().map(
        ({ id, title, pinned, createdAt, updatedAt }): ChatSummary => ({ id, title, pinned, createdAt, updatedAt }),
      ),
    search: async (query) =>
      chats().flatMap((chat) => {
        const words = queryWords(query);
        if (excerptOf(chat.title, words) !== undefined) return [{ id: chat.id, excerpt: '' }];
        const excerpt = excerptOf(searchText(chat), words);
        return excerpt === undefined ? [] : [{ id: chat.id, excerpt }];
      }),
    read: async (id) => (removed.has(id) ? [] : [...(logs.get(id) ?? [])]),
    async append(id, entries) {
      const log = logs.get(id) ?? [];
      const known = new Set(log.map(({ entry_id }) => entry_id));
      logs.set(id, [...log, ...entries.filter(({ entry_id }) => !known.has(entry_id))]);
    },
    remove: async (id) => void removed.add(id),
    restore: async (id) => void removed.delete(id),
    wipe: async (id) => void logs.delete(id),
    async emptyBin() {
      const count = removed.size;
      for (const id of removed) logs.delete(id);
      removed.clear();
      return count;
    },
    keepFile: async (sha256, bytes) => void files.set(sha256, bytes),
    file: async (sha256) => files.get(sha256),
    savePartial: async (partial) => void partials.set(partial.message.id, partial),
    dropPartial: async (id) => void partials.delete(id),
    partials: async () => [...partials.values()],
    subscribe: () => () => undefined,
  };
}
