import type { Snapshot, SnapshotAccess } from '../engine.ts';
import type { MirrorSlot } from './mirror-slot.ts';
import type { LoadedFacts } from './protocol.ts';
import type { Questions } from './questions.ts';

/** Snapshots stay in the child; the parent has their numbers. Files are written and read by the child. */
export function createSlotMoves(
  { fingerprint }: NonNullable<LoadedFacts['snapshots']>,
  slots: readonly MirrorSlot[],
  questions: Questions,
): SnapshotAccess {
  let bytesPerToken = 0;
  const find = (id: number): MirrorSlot => {
    const slot = slots[id];
    if (!slot) throw new RangeError(`There is no slot ${id}.`);
    return slot;
  };
  /** Whatever became of the old state, nobody may count on it. */
  const replace = async (id: number, fetch: () => Promise<Iterable<number> | undefined>): Promise<boolean> => {
    const slot = find(id);
    let tokens: Iterable<number> | undefined;
    try {
      tokens = await fetch();
    } finally {
      slot.adopt(tokens ?? []);
    }
    return tokens !== undefined;
  };

  return {
    estimateBytes: (tokens) => Math.ceil(tokens * bytesPerToken),
    async save(slot, wanted) {
      const saved = await questions.ask('save', { about: 'save', slot, tokens: wanted });
      const { tokens } = find(slot);
      bytesPerToken = saved.bytes / Math.max(1, tokens.length);
      return { tokens: tokens.slice(0, saved.tokens), bytes: saved.bytes, handle: saved.snapshot };
    },
    load: (slot, snapshot) =>
      replace(slot, async () => {
        const { done } = await questions.ask('load', { about: 'load', slot, snapshot: numberOf(snapshot) });
        return done ? snapshot.tokens : undefined;
      }),
    drop(snapshot) {
      const question = { about: 'drop', snapshot: numberOf(snapshot) } as const;
      // When the process is gone, so is the snapshot.
      questions.ask('drop', question).catch(() => undefined);
    },
    copy: (from, to, tokens) =>
      replace(to, async () => {
        const { done } = await questions.ask('copy', { about: 'copy', from, to, tokens });
        return done ? find(from).tokens.slice(0, tokens) : undefined;
      }),
    files:
      fingerprint === undefined
        ? undefined
        : {
            fingerprint,
            async write(slot, path) {
              await questions.ask('write-file', { about: 'write-file', slot, path });
            },
            read: (slot, path) =>
              replace(slot, async () => (await questions.ask('read-file', { about: 'read-file', slot, path })).tokens),
          },
  };
}

function numberOf({ handle }: Snapshot): number {
  if (typeof handle !== 'number') throw new TypeError('This snapshot is of another engine.');
  return handle;
}
