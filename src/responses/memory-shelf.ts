import type { Shelf } from './shelf.ts';

/** Forgets everything with the process. */
export function memoryShelf(): Shelf {
  const texts = new Map<string, string>();
  return {
    list: async () => [],
    read: async (name) => texts.get(name),
    write: async (name, text) => {
      texts.set(name, text);
    },
    remove: async (name) => {
      texts.delete(name);
    },
  };
}
