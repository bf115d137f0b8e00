import type { Snapshot, SnapshotAccess } from '../engine.ts';
import type { MirrorSlot } from './mirror-slot.ts';
import type { Questions } from './questions.ts';

/** Snapshots stay with the loop, which also writes and reads files; here are their numbers. */
export function createSlotMoves(
  { fingerprint }: { readonly fingerprint: string | undefined },
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
  const replace = async (id: number, fetch: () => Promise<State | undefined>): Promise<boolean> => {
    const slot = find(id);
    let state: State | undefined;
    try {
      state = await fetch();
    } finally {
      slot.adopt(state?.tokens ?? [], state?.adapters);
    }
    return state !== undefined;
  };

  return {
    estimateBytes: (tokens) => Math.ceil(tokens * bytesPerToken),
    async save(slot, wanted) {
      const saved = await questions.ask('save', { about: 'save', slot, tokens: wanted });
      const { tokens, adapters } = find(slot);
      bytesPerToken = saved.bytes / Math.max(1, tokens.length);
      return { tokens: tokens.slice(0, saved.tokens), adapters, bytes: saved.bytes, handle: saved.snapshot };
    },
    load: (slot, snapshot) =>
      replace(slot, async () => {
        const { done } = await questions.ask('load', { about: 'load', slot, snapshot: numberOf(snapshot) });
        return done ? snapshot : undefined;
      }),
    drop(snapshot) {
      const question = { about: 'drop', snapshot: numberOf(snapshot) } as const;
      // When the loop is gone, so is the snapshot.
      questions.ask('drop', question).catch(() => undefined);
    },
    copy: (from, to, tokens) =>
      replace(to, async () => {
        const { done } = await questions.ask('copy', { about: 'copy', from, to, tokens });
        const { tokens: held, adapters } = find(from);
        return done ? { tokens: held.slice(0, tokens), adapters } : undefined;
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
              replace(slot, async () => {
                const { tokens } = await questions.ask('read-file', { about: 'read-file', slot, path });
                return tokens && { tokens };
              }),
          },
  };
}

interface State {
  readonly tokens: Iterable<number>;
  readonly adapters?: readonly number[] | undefined;
}

function numberOf({ handle }: Snapshot): number {
  if (typeof handle !== 'number') throw new TypeError('This snapshot is of another engine.');
  return handle;
}
