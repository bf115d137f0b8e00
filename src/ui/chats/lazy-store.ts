import type { ChatStore } from './store.ts';

/** A store that is not known yet: what is asked of it waits. The page is there before it is. */
export function lazyStore(coming: Promise<ChatStore>): ChatStore {
  return {
    list: async () => (await coming).list(),
    search: async (query) => (await coming).search(query),
    read: async (id) => (await coming).read(id),
    append: async (id, entries) => (await coming).append(id, entries),
    remove: async (id) => (await coming).remove(id),
    restore: async (id) => (await coming).restore(id),
    wipe: async (id) => (await coming).wipe(id),
    emptyBin: async () => (await coming).emptyBin(),
    keepFile: async (sha256, bytes) => (await coming).keepFile(sha256, bytes),
    file: async (sha256) => (await coming).file(sha256),
    savePartial: async (partial) => (await coming).savePartial(partial),
    dropPartial: async (id) => (await coming).dropPartial(id),
    partials: async () => (await coming).partials(),
    subscribe(listener) {
      let left = false;
      let leave = () => {
        left = true;
      };
      void coming.then((store) => {
        if (!left) leave = store.subscribe(listener);
      });
      return () => leave();
    },
  };
}
