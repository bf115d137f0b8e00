import { type RoomEntry, SharedRoom, type Sharer } from '../contract/shared-room.ts';
import type { Snapshot, SnapshotAccess } from '../engine/engine.ts';
import { commonPrefix } from '../engine/prefix.ts';
import type { SchedulerObserver } from './admission.ts';
import type { CostModel } from './cost-model.ts';
import { type Scoped, sharedWithin } from './scope.ts';

/** Where prefixes lie that no slot holds. */
export interface PrefixShelf {
  /** What can be loaded, the least recently used first. */
  list(): readonly StoredPrefix[];
  /** The slot then holds the prefix. False: not here, or refused, then the slot is empty. Never throws. */
  load(slot: number, prefix: StoredPrefix): Promise<boolean>;
}

export interface StoredPrefix extends Scoped, Sharer {
  readonly scope: string;
  readonly bytes: number;
}

export interface PrefixStore extends PrefixShelf {
  /** Counts as a use of the prefix nearest to this prompt of the scope, so that making room for others does not drop it. */
  want(prompt: readonly number[], scope: string | undefined): void;
  /** Saves the first `tokens` tokens of a slot if that is worth its price; never throws. */
  keep(slot: number, tokens: readonly number[], sharer: Sharer): Promise<void>;
  readonly bytes: number;
}

interface Entry extends StoredPrefix {
  /** In the room. */
  readonly name: string;
  readonly snapshot: Snapshot;
  /** Loads in flight: not dropped meanwhile. */
  loading: number;
}

interface StoreOptions {
  readonly access: SnapshotAccess;
  readonly costs: CostModel;
  /** Bytes that all snapshots may take together. */
  readonly budget: number;
  readonly observer: Partial<SchedulerObserver>;
}

/** A snapshot is taken when evaluating again would cost so many times its saving and loading. */
const worth = 2;

/** Snapshots in memory; where they would take more than the budget, the least recently used of whoever has the most go. */
export function createPrefixStore(options: StoreOptions): PrefixStore {
  return new SnapshotStore(options);
}

/** What is kept, or being saved. */
interface Place extends RoomEntry {
  readonly entry: Entry | undefined;
}

class SnapshotStore implements PrefixStore {
  readonly #options: StoreOptions;
  /** Least recently used first; sizes are bytes. */
  readonly #room = new SharedRoom<Place>();
  #count = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#room.size;
  }

  list(): readonly StoredPrefix[] {
    return this.#entries();
  }

  want(prompt: readonly number[], scope: string | undefined): void {
    let nearest: { readonly entry: Entry; readonly shared: number } | undefined;
    for (const entry of this.#entries()) {
      const shared = sharedWithin(scope, prompt, entry);
      if (shared > (nearest?.shared ?? 0)) nearest = { entry, shared };
    }
    if (nearest) this.#touch(nearest.entry);
  }

  async keep(slot: number, tokens: readonly number[], { owner, scope }: Sharer): Promise<void> {
    const { access, costs, observer } = this.#options;
    const known = this.#entries().find((entry) => entry.scope === scope && isPrefix(tokens, entry.tokens));
    if (known) {
      this.#touch(known);
      return;
    }
    const estimate = access.estimateBytes(tokens.length);
    const price = 2 * costs.transferMs(estimate);
    if (costs.tokenMs() * tokens.length < worth * price) return;
    const name = String(this.#count++);
    if (!this.#put(name, { owner, size: estimate, entry: undefined })) return;
    try {
      const snapshot = await costs.measured(estimate, () => access.save(slot, tokens.length));
      this.#add({ name, owner, tokens: snapshot.tokens, scope, bytes: snapshot.bytes, snapshot, loading: 0 });
    } catch (error) {
      this.#room.remove(name);
      observer.transferFailed?.('save', error);
    }
  }

  async load(slot: number, prefix: StoredPrefix): Promise<boolean> {
    const { access, costs, observer } = this.#options;
    const entry = this.#entries().find((each) => each === prefix);
    if (!entry) return false;
    this.#touch(entry);
    entry.loading++;
    try {
      return await costs.measured(entry.bytes, () => access.load(slot, entry.snapshot));
    } catch (error) {
      observer.transferFailed?.('load', error);
      return false;
    } finally {
      entry.loading--;
    }
  }

  #entries(): readonly Entry[] {
    return [...this.#room].flatMap(([, { entry }]) => entry ?? []);
  }

  /** In the place that was taken for it. */
  #add(entry: Entry): void {
    for (const older of this.#entries())
      if (older.loading === 0 && older.scope === entry.scope && isNearlyPrefix(older.tokens, entry.tokens))
        this.#drop(older);
    if (this.#put(entry.name, { owner: entry.owner, size: entry.bytes, entry })) return;
    this.#room.remove(entry.name);
    this.#options.access.drop(entry.snapshot);
  }

  /** Makes room, or finds none. */
  #put(name: string, place: Place): boolean {
    const limits = { size: this.#options.budget };
    const gone = this.#room.roomFor(name, place, limits, ({ entry }) => entry?.loading === 0);
    if (!gone) return false;
    for (const { entry } of gone.map((each) => this.#room.get(each) ?? { entry: undefined })) {
      if (!entry) continue;
      this.#drop(entry);
      this.#options.observer.snapshotDropped?.({ tokens: entry.tokens.length });
    }
    this.#room.put(name, place);
    return true;
  }

  #drop(entry: Entry): void {
    this.#room.remove(entry.name);
    this.#options.access.drop(entry.snapshot);
  }

  #touch(entry: Entry): void {
    this.#room.put(entry.name, { owner: entry.owner, size: entry.bytes, entry });
  }
}

/** The conversation has moved on: nearly all of its earlier state, but a tail that was not sent back, is in the later one. */
export function isNearlyPrefix(earlier: readonly number[], later: readonly number[]): boolean {
  return commonPrefix(earlier, later) >= 0.9 * earlier.length;
}

export function isPrefix(start: readonly number[], whole: readonly number[]): boolean {
  return commonPrefix(start, whole) === start.length;
}
