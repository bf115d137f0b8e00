import { readFile, writeFile } from 'node:fs/promises';
import type { Snapshot, SnapshotAccess } from '../engine.ts';
import type { FakeSlot } from './run.ts';

/** What native state of one token takes, as far as this fake is concerned. */
const fakeBytesPerToken = 100;

/** Snapshots that are copies of the token list. `between` decides when an operation happens: always between two steps. */
export function fakeSnapshots(
  slots: readonly FakeSlot[],
  between: <Result>(work: () => Result) => Promise<Result>,
  fingerprint: string | undefined,
): SnapshotAccess & { readonly kept: ReadonlySet<Snapshot> } {
  const kept = new Set<Snapshot>();
  const slotAt = (id: number): FakeSlot => {
    const slot = slots[id];
    if (!slot) throw new RangeError(`slot ${id} of ${slots.length}`);
    return slot;
  };
  const put = (id: number, tokens: readonly number[] | undefined): boolean => {
    const slot = slotAt(id);
    if (slot.run) throw new Error(`slot ${id} is running: its state must not be replaced`);
    slot.tokens = [...(tokens ?? [])];
    return tokens !== undefined;
  };
  return {
    kept,
    estimateBytes: (tokens) => tokens * fakeBytesPerToken,
    save: (slot, tokens) =>
      between(() => {
        const held = slotAt(slot).tokens;
        if (held.length < tokens) throw new RangeError(`slot ${slot} holds ${held.length} of ${tokens} tokens`);
        const snapshot: Snapshot = { tokens: held.slice(0, tokens), bytes: tokens * fakeBytesPerToken, handle: {} };
        kept.add(snapshot);
        return snapshot;
      }),
    load: (slot, snapshot) => between(() => put(slot, kept.has(snapshot) ? snapshot.tokens : undefined)),
    drop: (snapshot) => {
      kept.delete(snapshot);
    },
    copy: (from, to, tokens) =>
      between(() => {
        const held = slotAt(from).tokens;
        return put(to, held.length >= tokens ? held.slice(0, tokens) : undefined);
      }),
    files:
      fingerprint === undefined
        ? undefined
        : {
            fingerprint,
            write: async (slot, path) => writeFile(path, JSON.stringify(slotAt(slot).tokens)),
            read: async (slot, path) => {
              const tokens: number[] = JSON.parse(await readFile(path, 'utf8'));
              return between(() => put(slot, tokens));
            },
          },
  };
}
