export interface RoomEntry {
  /** See Caller. */
  readonly owner: string;
  /** In whatever unit the limit has. */
  readonly size: number;
}

export interface RoomLimits {
  readonly count: number;
  readonly size: number;
}

/**
 * What is kept by name, in a room that owners share: where it is full, something goes of whoever has the most, so that
 * nobody's things push out those of an owner who has less. It only says what should go, and whoever keeps the things lets
 * go of it.
 */
export class SharedRoom<Entry extends RoomEntry> {
  /** The one that was put last at the end. */
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new Map<string, RoomLimits>();
  #size = 0;
  #newest: string | undefined;

  get(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  /** Oldest first. */
  [Symbol.iterator](): IterableIterator<[string, Entry]> {
    return this.#entries.entries();
  }

  /** Replaces one of the same name. */
  put(name: string, entry: Entry): void {
    this.remove(name);
    this.#entries.set(name, entry);
    this.#count(entry, 1);
    this.#newest = name;
  }

  remove(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#entries.delete(name);
    this.#count(entry, -1);
  }

  /**
   * The name of what should go next to hold the limits: the oldest of the owner who has the most; of equals, of who put
   * something in last. Never the newest itself, however large it is. Undefined: nothing.
   */
  excess(limits: RoomLimits): string | undefined {
    const over = this.#entries.size > limits.count ? 'count' : this.#size > limits.size ? 'size' : undefined;
    if (over === undefined) return undefined;
    const newestOwner = this.#entries.get(this.#newest ?? '')?.owner;
    let most = { owner: newestOwner, amount: this.#owners.get(newestOwner ?? '')?.[over] ?? 0 };
    for (const [owner, { [over]: amount }] of this.#owners) if (amount > most.amount) most = { owner, amount };
    for (const [name, { owner }] of this.#entries) if (owner === most.owner && name !== this.#newest) return name;
    return undefined;
  }

  #count({ owner, size }: Entry, change: 1 | -1): void {
    const before = this.#owners.get(owner) ?? { count: 0, size: 0 };
    const after = { count: before.count + change, size: before.size + change * size };
    if (after.count === 0) this.#owners.delete(owner);
    else this.#owners.set(owner, after);
    this.#size += change * size;
  }
}
