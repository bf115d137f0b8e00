/** Where texts are put by name. One of memory or a folder. */
export interface Shelf {
  /** What lies there from before, in any order. */
  list(): Promise<readonly ShelfEntry[]>;
  read(name: string): Promise<string | undefined>;
  /** All or nothing: a reader sees the old text or the new one, after a crash too. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface ShelfEntry {
  readonly name: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly savedAt: number;
  /** The first characters of its text, 300 at least where there are so many. */
  readonly head: string;
}

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
