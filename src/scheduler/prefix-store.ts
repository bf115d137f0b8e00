import { commonPrefix } from '../engine/common-prefix.ts';
import type { Snapshot, SnapshotAccess } from '../engine/engine.ts';
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

export interface StoredPrefix extends Scoped {
  readonly scope: string;
  readonly bytes: number;
}

export interface PrefixStore extends PrefixShelf {
  /** Counts as a use of the prefix nearest to this prompt of the scope, so that making room for others does not drop it. */
  want(prompt: readonly number[], scope: string | undefined): void;
  /** Saves the first `tokens` tokens of a slot if that is worth its price; never throws. */
  keep(slot: number, tokens: readonly number[], scope: string): Promise<void>;
  readonly bytes: number;
}

interface Entry extends StoredPrefix {
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

/** Snapshots in memory; the least recently used are dropped when they take more than the budget. */
export function createPrefixStore(options: StoreOptions): PrefixStore {
  return new SnapshotStore(options);
}

class SnapshotStore implements PrefixStore {
  readonly #options: StoreOptions;
  /** Least recently used first. */
  readonly #entries = new Set<Entry>();
  /** Bytes of the entries, and of what is being saved. */
  #bytes = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  list(): readonly StoredPrefix[] {
    return [...this.#entries];
  }

  want(prompt: readonly number[], scope: string | undefined): void {
    let nearest: { readonly entry: Entry; readonly shared: number } | undefined;
    for (const entry of this.#entries) {
      const shared = sharedWithin(scope, prompt, entry);
      if (shared > (nearest?.shared ?? 0)) nearest = { entry, shared };
    }
    if (nearest) this.#touch(nearest.entry);
  }

  async keep(slot: number, tokens: readonly number[], scope: string): Promise<void> {
    const { access, costs, observer } = this.#options;
    const known = [...this.#entries].find((entry) => entry.scope === scope && isPrefix(tokens, entry.tokens));
    if (known) {
      this.#touch(known);
      return;
    }
    const estimate = access.estimateBytes(tokens.length);
    const price = 2 * costs.transferMs(estimate);
    if (costs.tokenMs() * tokens.length < worth * price || !this.#makeRoom(estimate)) return;
    this.#bytes += estimate;
    try {
      const snapshot = await costs.measured(estimate, () => access.save(slot, tokens.length));
      this.#add({ tokens: snapshot.tokens, scope, bytes: snapshot.bytes, snapshot, loading: 0 });
    } catch (error) {
      observer.transferFailed?.('save', error);
    } finally {
      this.#bytes -= estimate;
      this.#makeRoom(0);
    }
  }

  async load(slot: number, prefix: StoredPrefix): Promise<boolean> {
    const { access, costs, observer } = this.#options;
    const entry = [...this.#entries].find((each) => each === prefix);
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

  #add(entry: Entry): void {
    for (const older of this.#entries)
      if (older.loading === 0 && older.scope === entry.scope && isNearlyPrefix(older.tokens, entry.tokens))
        this.#drop(older);
    this.#entries.add(entry);
    this.#bytes += entry.bytes;
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry);
    this.#bytes -= entry.bytes;
    this.#options.access.drop(entry.snapshot);
  }

  #touch(entry: Entry): void {
    this.#entries.delete(entry);
    this.#entries.add(entry);
  }

  #makeRoom(bytes: number): boolean {
    const { budget } = this.#options;
    if (bytes > budget) return false;
    for (const entry of this.#entries) {
      if (this.#bytes + bytes <= budget) break;
      if (entry.loading > 0) continue;
      this.#drop(entry);
      this.#options.observer.snapshotDropped?.({ tokens: entry.tokens.length });
    }
    return this.#bytes + bytes <= budget;
  }
}

/** The conversation has moved on: nearly all of its earlier state, but a tail that was not sent back, is in the later one. */
export function isNearlyPrefix(earlier: readonly number[], later: readonly number[]): boolean {
  return commonPrefix(earlier, later) >= 0.9 * earlier.length;
}

export function isPrefix(start: readonly number[], whole: readonly number[]): boolean {
  return commonPrefix(start, whole) === start.length;
}
