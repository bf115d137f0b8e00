import { commonPrefix } from '../engine/common-prefix.ts';
import type { Snapshot, SnapshotAccess } from '../engine/engine.ts';
import type { SchedulerObserver } from './admission.ts';
import type { CostModel } from './cost-model.ts';

export interface PrefixStore {
  /** What can be loaded, in no order. */
  list(): readonly StoredPrefix[];
  /** Counts as a use of the prefix nearest to this prompt, so that making room for others does not drop it. */
  want(prompt: readonly number[]): void;
  /** Saves the first `tokens` tokens of a slot if that is worth its price; never throws. */
  keep(slot: number, tokens: readonly number[]): Promise<void>;
  /** False: refused, the slot is empty; never throws. */
  load(slot: number, prefix: StoredPrefix): Promise<boolean>;
  readonly bytes: number;
}

export interface StoredPrefix {
  readonly snapshot: Snapshot;
}

interface Entry extends StoredPrefix {
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

/** A snapshot is taken when evaluating again would cost at least this much more than saving and loading. */
const worth = 2;

/** Snapshots of evaluated prefixes, the least recently used dropped first when they take more than the budget. */
export function createPrefixStore({ access, costs, budget, observer }: StoreOptions): PrefixStore {
  /** Least recently used first. */
  const entries = new Set<Entry>();
  let reserved = 0;
  const used = () => [...entries].reduce((sum, { snapshot }) => sum + snapshot.bytes, reserved);

  const drop = (entry: Entry) => {
    entries.delete(entry);
    access.drop(entry.snapshot);
    observer.snapshotDropped?.({ tokens: entry.snapshot.tokens.length, bytes: entry.snapshot.bytes });
  };
  const touch = (entry: Entry) => {
    entries.delete(entry);
    entries.add(entry);
  };
  const makeRoom = (bytes: number): boolean => {
    for (const entry of entries) {
      if (used() + bytes <= budget) break;
      if (entry.loading === 0) drop(entry);
    }
    return used() + bytes <= budget;
  };
  const add = (entry: Entry) => {
    // The conversation has moved on: its earlier state is part of the later one.
    for (const older of entries)
      if (older.loading === 0 && isPrefix(older.snapshot.tokens, entry.snapshot.tokens)) drop(older);
    entries.add(entry);
    observer.snapshotSaved?.({ tokens: entry.snapshot.tokens.length, bytes: entry.snapshot.bytes });
    makeRoom(0);
  };

  return {
    list: () => [...entries],
    want: (prompt) => {
      let nearest: { readonly entry: Entry; readonly shared: number } | undefined;
      for (const entry of entries) {
        const shared = commonPrefix(entry.snapshot.tokens, prompt);
        if (shared > (nearest?.shared ?? 0)) nearest = { entry, shared };
      }
      if (nearest) touch(nearest.entry);
    },
    get bytes() {
      return used();
    },
    keep: async (slot, tokens) => {
      const known = [...entries].find(({ snapshot }) => isPrefix(tokens, snapshot.tokens));
      if (known) {
        touch(known);
        return;
      }
      const bytes = access.estimateBytes(tokens.length);
      if (costs.tokenMs() * tokens.length < 2 * costs.transferMs(bytes) * worth || !makeRoom(bytes)) return;
      reserved += bytes;
      try {
        const snapshot = await costs.measured(bytes, () => access.save(slot, tokens.length));
        reserved -= bytes;
        add({ snapshot, loading: 0 });
      } catch (error) {
        reserved -= bytes;
        observer.transferFailed?.('save', error);
      }
    },
    load: async (slot, prefix) => {
      const entry = [...entries].find((each) => each === prefix);
      if (!entry) return false;
      touch(entry);
      entry.loading++;
      try {
        return await costs.measured(entry.snapshot.bytes, () => access.load(slot, entry.snapshot));
      } catch (error) {
        observer.transferFailed?.('load', error);
        return false;
      } finally {
        entry.loading--;
      }
    },
  };
}

function isPrefix(start: readonly number[], whole: readonly number[]): boolean {
  return commonPrefix(start, whole) === start.length;
}
