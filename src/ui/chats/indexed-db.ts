import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import type { ChatEntry, ChatSummary } from './entries.ts';
import { hashesOf } from './message.ts';
import { type ChatStore, dropPartialsOf, excerptOf, queryWords, type SearchHit, type Unfinished } from './store.ts';
import { emptyChat, foldEntries, searchText } from './tree.ts';

interface ChatSchema extends DBSchema {
  /** One row per chat: what the list shows. */
  chats: { key: string; value: ChatSummary & { readonly removedAt?: number } };
  /** Only ever added to. */
  entries: {
    key: number;
    value: { readonly chat: string; readonly entry: ChatEntry };
    indexes: { chat: string; entry: [string, string] };
  };
  /** Everything of a chat that can be looked for. Made of its entries; could be thrown away. */
  texts: { key: string; value: string };
  partials: { key: string; value: Unfinished };
  /** By their SHA-256. */
  files: { key: string; value: { readonly bytes: Blob; readonly keptAt: number } };
}

type Removable = Pick<ChatSchema['chats']['value'], 'removedAt'>;

const version = 2;
/** What was removed can be brought back for so long. */
const keptRemovedMs = 30 * 24 * 3600 * 1000;
/** Files that no chat names may belong to a message that is still being written. */
const keptUnusedMs = 24 * 3600 * 1000;

export interface IndexedDbOptions {
  readonly name?: string;
  readonly now: () => number;
}

/** Chats in this browser. They belong to this address alone: another port or name of the server has others. */
export async function openIndexedDbStore({ name = 'serve-model-chats', now }: IndexedDbOptions): Promise<ChatStore> {
  const database = await openDB<ChatSchema>(name, version, {
    upgrade(db, before) {
      if (before < 2) db.createObjectStore('files');
      if (before >= 1) return;
      db.createObjectStore('chats', { keyPath: 'id' });
      const entries = db.createObjectStore('entries', { autoIncrement: true });
      entries.createIndex('chat', 'chat');
      entries.createIndex('entry', ['chat', 'entry.entry_id'], { unique: true });
      db.createObjectStore('texts');
      db.createObjectStore('partials', { keyPath: 'message.id' });
    },
    // Another tab wants a newer form: let go, and be opened anew with the next reload.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase | null)?.close(),
  });
  return new IndexedDbStore(database, name, now);
}

class IndexedDbStore implements ChatStore {
  readonly #database: IDBPDatabase<ChatSchema>;
  readonly #now: () => number;
  readonly #channel: BroadcastChannel;
  /** Read when something is first looked for. */
  #texts: Map<string, string> | undefined;
  #isTidy = false;

  constructor(database: IDBPDatabase<ChatSchema>, name: string, now: () => number) {
    this.#database = database;
    this.#now = now;
    this.#channel = new BroadcastChannel(name);
  }

  async list(): Promise<ChatSummary[]> {
    const rows = await this.#database.getAll('chats');
    if (!this.#isTidy) void this.#tidy(rows).catch(() => undefined);
    return rows
      .filter(({ removedAt }) => removedAt === undefined)
      .sort((left, right) => right.updatedAt - left.updatedAt);
  }

  async search(query: string): Promise<SearchHit[]> {
    const words = queryWords(query);
    const texts = await this.#allTexts();
    return (await this.list()).flatMap(({ id, title }) => {
      if (excerptOf(title, words) !== undefined) return [{ id, excerpt: '' }];
      const excerpt = excerptOf(texts.get(id) ?? '', words);
      return excerpt === undefined ? [] : [{ id, excerpt }];
    });
  }

  async read(id: string): Promise<ChatEntry[]> {
    const [row, entries] = await Promise.all([this.#database.get('chats', id), this.#entriesOf(id)]);
    return row?.removedAt === undefined ? entries : [];
  }

  async append(id: string, entries: readonly ChatEntry[]): Promise<void> {
    const change = this.#database.transaction(['chats', 'entries', 'texts'], 'readwrite', { durability: 'relaxed' });
    const log = change.objectStore('entries');
    for (const entry of entries)
      if ((await log.index('entry').getKey([id, entry.entry_id])) === undefined) await log.add({ chat: id, entry });
    const before = await change.objectStore('chats').get(id);
    const all = (await log.index('chat').getAll(id)).map(({ entry }) => entry);
    const first = before?.createdAt ?? entries[0]?.time ?? this.#now();
    const chat = foldEntries(emptyChat(id, first), all);
    const { title, pinned, createdAt, updatedAt } = chat;
    const text = searchText(chat);
    await change.objectStore('chats').put({ ...before, id, title, pinned, createdAt, updatedAt });
    await change.objectStore('texts').put(text, id);
    await change.done;
    this.#texts?.set(id, text);
    this.#channel.postMessage(id);
  }

  remove(id: string): Promise<void> {
    return this.#mark(id, this.#now());
  }

  restore(id: string): Promise<void> {
    return this.#mark(id, undefined);
  }

  async wipe(id: string): Promise<void> {
    const files = (await this.#entriesOf(id)).flatMap((entry) => ('message' in entry ? hashesOf(entry.message) : []));
    const change = this.#database.transaction(['chats', 'entries', 'texts'], 'readwrite');
    await forget(change, id);
    await change.done;
    await dropPartialsOf(this, new Set([id]));
    await forgetUnusedFiles(this.#database, files, Number.POSITIVE_INFINITY);
    this.#texts?.delete(id);
    this.#channel.postMessage(id);
  }

  async emptyBin(): Promise<number> {
    const removed = (await this.#database.getAll('chats')).filter(({ removedAt }) => removedAt !== undefined);
    for (const { id } of removed) await this.wipe(id);
    return removed.length;
  }

  async keepFile(sha256: string, bytes: Blob): Promise<void> {
    await this.#database.put('files', { bytes, keptAt: this.#now() }, sha256);
  }

  async file(sha256: string): Promise<Blob | undefined> {
    return (await this.#database.get('files', sha256))?.bytes;
  }

  async savePartial(partial: Unfinished): Promise<void> {
    await this.#database.put('partials', partial);
  }

  async dropPartial(messageId: string): Promise<void> {
    await this.#database.delete('partials', messageId);
  }

  partials(): Promise<Unfinished[]> {
    return this.#database.getAll('partials');
  }

  subscribe(listener: (id: string) => void): () => void {
    const hear = ({ data }: MessageEvent) => {
      this.#texts = undefined;
      if (typeof data === 'string') listener(data);
    };
    this.#channel.addEventListener('message', hear);
    return () => this.#channel.removeEventListener('message', hear);
  }

  /** Once, behind the first list, which shows none of what goes here: nobody waits for it. */
  async #tidy(rows: readonly Removable[]): Promise<void> {
    this.#isTidy = true;
    const now = this.#now();
    await forgetRemoved(this.#database, rows, now - keptRemovedMs);
    await forgetUnusedFiles(this.#database, await this.#database.getAllKeys('files'), now - keptUnusedMs);
  }

  async #entriesOf(id: string): Promise<ChatEntry[]> {
    const rows = await this.#database.getAllFromIndex('entries', 'chat', id);
    return rows.map(({ entry }) => entry);
  }

  async #mark(id: string, removedAt: number | undefined): Promise<void> {
    const change = this.#database.transaction('chats', 'readwrite');
    const row = await change.store.get(id);
    if (row) {
      const { removedAt: _, ...rest } = row;
      await change.store.put({ ...rest, ...(removedAt !== undefined && { removedAt }) });
    }
    await change.done;
    this.#channel.postMessage(id);
  }

  async #allTexts(): Promise<ReadonlyMap<string, string>> {
    if (this.#texts) return this.#texts;
    const [keys, texts] = await Promise.all([this.#database.getAllKeys('texts'), this.#database.getAll('texts')]);
    this.#texts = new Map(keys.map((key, index) => [key, texts[index] ?? '']));
    return this.#texts;
  }
}

/** Writes only where there is something to forget. */
async function forgetRemoved(
  database: IDBPDatabase<ChatSchema>,
  rows: readonly Removable[],
  before: number,
): Promise<void> {
  const isDue = ({ removedAt }: Removable) => removedAt !== undefined && removedAt <= before;
  if (!rows.some(isDue)) return;
  const change = database.transaction(['chats', 'entries', 'texts'], 'readwrite');
  for (const chat of await change.objectStore('chats').getAll()) if (isDue(chat)) await forget(change, chat.id);
  await change.done;
}

/** Of these files those that no chat names. Reads through the chats only where there are any. */
async function forgetUnusedFiles(
  database: IDBPDatabase<ChatSchema>,
  hashes: readonly string[],
  before: number,
): Promise<void> {
  if (hashes.length === 0) return;
  const used = new Set<string>();
  for (const { entry } of await database.getAll('entries'))
    if ('message' in entry) for (const hash of hashesOf(entry.message)) used.add(hash);
  for (const hash of hashes) {
    if (used.has(hash)) continue;
    const kept = await database.get('files', hash);
    if (kept && kept.keptAt < before) await database.delete('files', hash);
  }
}

async function forget(
  change: IDBPTransaction<ChatSchema, ('chats' | 'entries' | 'texts')[], 'readwrite'>,
  id: string,
): Promise<void> {
  await change.objectStore('chats').delete(id);
  await change.objectStore('texts').delete(id);
  for (const key of await change.objectStore('entries').index('chat').getAllKeys(id))
    await change.objectStore('entries').delete(key);
}
