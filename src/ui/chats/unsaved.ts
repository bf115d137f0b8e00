import type { KeyValueStorage } from '../state/preferences.ts';
import type { ChatEntry } from './entries.ts';
import type { ChatStore } from './store.ts';

interface Unsaved {
  readonly id: string;
  readonly entries: readonly ChatEntry[];
}

export interface UnsavedOptions {
  /** Of this tab: it outlives a reload. */
  readonly storage: KeyValueStorage;
  /** Calls back when the page goes away: what is not written then, synchronously, is lost with it. */
  readonly onLeave: (callback: () => void) => void;
}

const name = 'serve-model:unsaved';

/**
 * A store whose entries outlive a page that is reloaded before they have arrived: browsers break off transactions of
 * a page that goes. Those of the page before are on their way when this settles. An entry counts once, so it does not
 * matter when it had arrived after all.
 */
export async function withUnsaved(store: ChatStore, { storage, onLeave }: UnsavedOptions): Promise<ChatStore> {
  const pending = new Set<Unsaved>();
  const keeping: ChatStore = {
    ...bound(store),
    async append(id, entries) {
      const change = { id, entries };
      pending.add(change);
      try {
        await store.append(id, entries);
      } finally {
        pending.delete(change);
      }
    },
  };
  const left = read(storage);
  storage.removeItem(name);
  for (const { id, entries } of left) void keeping.append(id, entries).catch(() => undefined);
  onLeave(() => {
    if (pending.size > 0) write(storage, [...pending]);
  });
  return keeping;
}

/** Methods of a class, to be called without it. */
function bound(store: ChatStore): ChatStore {
  return {
    list: () => store.list(),
    search: (query) => store.search(query),
    read: (id) => store.read(id),
    append: (id, entries) => store.append(id, entries),
    remove: (id) => store.remove(id),
    restore: (id) => store.restore(id),
    wipe: (id) => store.wipe(id),
    emptyBin: () => store.emptyBin(),
    keepFile: (sha256, bytes) => store.keepFile(sha256, bytes),
    file: (sha256) => store.file(sha256),
    savePartial: (partial) => store.savePartial(partial),
    dropPartial: (id) => store.dropPartial(id),
    partials: () => store.partials(),
    subscribe: (listener) => store.subscribe(listener),
  };
}

function read(storage: KeyValueStorage): readonly Unsaved[] {
  try {
    const left: unknown = JSON.parse(storage.getItem(name) ?? '[]');
    // Written below, by this page's own code: anything else is not taken.
    return Array.isArray(left) ? left.filter(isUnsaved) : [];
  } catch {
    return [];
  }
}

function isUnsaved(value: unknown): value is Unsaved {
  return (
    typeof value === 'object' && value !== null && 'id' in value && 'entries' in value && Array.isArray(value.entries)
  );
}

/** What does not fit is given up: the storage of a tab has some megabytes. */
function write(storage: KeyValueStorage, changes: readonly Unsaved[]): void {
  try {
    storage.setItem(name, JSON.stringify(changes));
  } catch {
    storage.removeItem(name);
  }
}
