export interface RoomEntry {
  /** See Caller. */
  readonly owner: string;
  /** In whatever unit the limit has. */
  readonly size: number;
}

interface Amounts {
  readonly count: number;
  readonly size: number;
}

/** Absent: none. */
export type RoomLimits = Partial<Amounts>;

/** For whom something is kept. */
export interface Sharer {
  /** See Caller. Where there is no room for all, something goes of whoever has the most. */
  readonly owner: string;
  /** Found by requests of the same scope only: how quickly it is there must not tell what another has asked. */
  readonly scope: string;
}

/**
 * What is kept by name, in a room that owners share: where it is full, something goes of whoever has the most. Nobody whose
 * things are within his share, the limit divided by those who have something, loses any of them to others, however many
 * they bring and however large. It only says what should go, and whoever keeps the things lets go of it.
 */
export class SharedRoom<Entry extends RoomEntry> {
  /** The one that was put last at the end. */
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new Map<string, Amounts>();
  #size = 0;
  #newest: string | undefined;

  /** Of all together. */
  get size(): number {
    return this.#size;
  }

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

  /** Puts it if it finds its room, and lets go of what has to go for it. */
  keep(name: string, entry: Entry, limits: RoomLimits): void {
    const gone = this.roomFor(name, entry, limits);
    if (!gone) return;
    for (const each of gone) this.remove(each);
    this.put(name, entry);
  }

  remove(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#entries.delete(name);
    this.#count(entry, -1);
  }

  /**
   * The name of what should go next to hold the limits: the oldest of the owner who has the most and something to give; of
   * equals, of who put something in last. Never the newest itself, however large it is, and nothing that may not go.
   * Undefined: nothing.
   */
  excess(limits: RoomLimits, mayGo: (entry: Entry) => boolean = () => true): string | undefined {
    const over = this.#over(limits);
    if (over === undefined) return undefined;
    const newestOwner = this.#entries.get(this.#newest ?? '')?.owner;
    const share = (limits[over] ?? 0) / this.#owners.size;
    const rank = ({ owner }: { readonly owner: string }) => Number(owner === newestOwner);
    const most = [...this.#owners]
      .map(([owner, { [over]: amount }]) => ({ owner, amount }))
      .filter(({ amount }) => amount > share)
      .sort((one, other) => other.amount - one.amount || rank(other) - rank(one));
    for (const { owner } of most)
      for (const [name, entry] of this.#entries)
        if (entry.owner === owner && name !== this.#newest && mayGo(entry)) return name;
    return undefined;
  }

  /**
   * What has to go so that one more finds its room, in this order; one of the same name is replaced. Undefined: it finds
   * none, and nothing need go for it.
   */
  roomFor(
    name: string,
    entry: Entry,
    limits: RoomLimits,
    mayGo?: (entry: Entry) => boolean,
  ): readonly string[] | undefined {
    const trial = new SharedRoom<Entry>();
    for (const [known, each] of this.#entries) trial.put(known, each);
    trial.put(name, entry);
    const gone: string[] = [];
    for (let next = trial.excess(limits, mayGo); next !== undefined; next = trial.excess(limits, mayGo)) {
      trial.remove(next);
      gone.push(next);
    }
    return trial.#over(limits) === undefined ? gone : undefined;
  }

  #over({ count, size }: RoomLimits): keyof Amounts | undefined {
    if (count !== undefined && this.#entries.size > count) return 'count';
    return size !== undefined && this.#size > size ? 'size' : undefined;
  }

  #count({ owner, size }: Entry, change: 1 | -1): void {
    const before = this.#owners.get(owner) ?? { count: 0, size: 0 };
    const after = { count: before.count + change, size: before.size + change * size };
    if (after.count === 0) this.#owners.delete(owner);
    else this.#owners.set(owner, after);
    this.#size += change * size;
  }
}
