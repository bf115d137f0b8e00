import type { ChatEntry } from '../chats/entries.ts';
import type { ChatStore } from '../chats/store.ts';

export interface EntryKeeperOptions {
  readonly store: ChatStore;
  /** Something could not be kept; undefined: all of it is kept by now. */
  readonly failed: (error: unknown) => void;
}

/** What is on its way to the store, and what the store would not take: tried again with the next that it takes. */
export class EntryKeeper {
  readonly #options: EntryKeeperOptions;
  /** In the order of its coming. */
  #refused: { readonly id: string; readonly entries: readonly ChatEntry[] }[] = [];

  /** Of chats that are deleted, until they are brought back. */
  readonly #held = new Map<string, readonly ChatEntry[]>();

  constructor(options: EntryKeeperOptions) {
    this.#options = options;
  }

  /** Settles when they are kept; with false where they could not be. */
  async append(id: string, entries: readonly ChatEntry[]): Promise<boolean> {
    if (!(await this.keep(this.#options.store.append(id, entries)))) {
      this.#refused = [...this.#refused, { id, entries }];
      return false;
    }
    if (this.#refused.length > 0) void this.keepRefused();
    return true;
  }

  /** Settles when it is done; with false where it failed, which is told. */
  async keep(work: Promise<void>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      this.#options.failed(error);
      return false;
    }
  }

  /** Tries again to keep what was refused. */
  async keepRefused(): Promise<void> {
    for (const refused of [...this.#refused]) {
      // Meanwhile its chat may be gone, or another try may have kept it.
      if (!this.#refused.includes(refused)) continue;
      if (!(await this.keep(this.#options.store.append(refused.id, refused.entries)))) return;
      this.#refused = this.#refused.filter((other) => other !== refused);
    }
    if (this.#refused.length === 0) this.#options.failed(undefined);
  }

  /** To be kept when its chat is brought back. */
  hold(id: string, entries: readonly ChatEntry[]): void {
    this.#held.set(id, [...(this.#held.get(id) ?? []), ...entries]);
  }

  async release(id: string): Promise<void> {
    const entries = this.#held.get(id);
    this.#held.delete(id);
    if (entries) await this.append(id, entries);
  }

  /** What is kept nowhere yet. */
  refusedOf(id: string): readonly ChatEntry[] {
    const refused = this.#refused.filter((each) => each.id === id).flatMap(({ entries }) => entries);
    return [...refused, ...(this.#held.get(id) ?? [])];
  }

  /** What was refused of this chat, or of all, is wanted no more. */
  forget(id?: string): void {
    this.#refused = this.#refused.filter((each) => id !== undefined && each.id !== id);
    if (id === undefined) this.#held.clear();
    else this.#held.delete(id);
  }
}
