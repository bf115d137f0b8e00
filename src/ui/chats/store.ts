import type { ChatEntry, ChatSummary } from './entries.ts';
import type { AssistantMessage } from './message.ts';

export interface SearchHit {
  readonly id: string;
  /** A few words around the place, or '' where the title has it. */
  readonly excerpt: string;
}

/** An answer that was being written when the page that wrote it was last heard of. */
export interface Unfinished {
  readonly chatId: string;
  readonly message: AssistantMessage;
  /** As it was before: empty, or what is being continued. */
  readonly base: AssistantMessage;
  /** Under which the server knows the run. */
  readonly cancelId: string;
  /** Of the tab that writes it. */
  readonly tab: string;
  readonly savedAt: number;
}

/** Where chats are kept. What it promises does not depend on where that is. */
export interface ChatStore {
  /** The latest first. */
  list(): Promise<ChatSummary[]>;
  /**
   * Ids of the chats in whose title or text all words occur, the latest first. No words find nothing; who asks so before
   * a search comes has it find what it needs read.
   */
  search(query: string): Promise<SearchHit[]>;
  /** In the order of their coming; empty for a chat that there is not, or that was removed. */
  read(id: string): Promise<ChatEntry[]>;
  /** Makes the chat where there is none. An entry that is there already is not added again. */
  append(id: string, entries: readonly ChatEntry[]): Promise<void>;
  /** It can be restored until the store forgets it. */
  remove(id: string): Promise<void>;
  restore(id: string): Promise<void>;
  /** For good. */
  wipe(id: string): Promise<void>;
  /** For good, what was removed; how many chats that were. */
  emptyBin(): Promise<number>;
  /** Bytes that messages refer to by their SHA-256, in hex. To be kept before the message that names them. */
  keepFile(sha256: string, bytes: Blob): Promise<void>;
  /** Undefined: it is not there any more. */
  file(sha256: string): Promise<Blob | undefined>;
  savePartial(partial: Unfinished): Promise<void>;
  dropPartial(messageId: string): Promise<void>;
  partials(): Promise<Unfinished[]>;
  /** Told of chats that others changed: another tab, another device. Gives a function that ends it. */
  subscribe(listener: (id: string) => void): () => void;
}

/** Of chats that are gone for good: a start would bring them back with what was being written there. */
export async function dropPartialsOf(
  store: Pick<ChatStore, 'partials' | 'dropPartial'>,
  ids: ReadonlySet<string>,
): Promise<void> {
  for (const { chatId, message } of await store.partials()) if (ids.has(chatId)) await store.dropPartial(message.id);
}

/** The words of a query, as they are compared. */
export function queryWords(query: string): string[] {
  return query
    .toLocaleLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
}

/** Where a text has all the words: the words around the first, or undefined. */
export function excerptOf(text: string, words: readonly string[]): string | undefined {
  const lower = text.toLocaleLowerCase();
  if (words.length === 0 || !words.every((word) => lower.includes(word))) return undefined;
  const at = lower.indexOf(words[0] ?? '');
  const from = Math.max(0, text.lastIndexOf(' ', at - 20));
  return `${from > 0 ? '…' : ''}${text
    .slice(from, from + 120)
    .replace(/\s+/g, ' ')
    .trim()}`;
}
