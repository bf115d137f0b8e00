import type { Snapshot, SnapshotAccess } from '../engine.ts';
import type { NativeBindings, NativeCheckpoint, NativeContext } from './native.ts';
import type { Slot } from './slot.ts';
import type { StepLoop } from './step-loop.ts';

export interface SnapshotOptions {
  readonly bindings: NativeBindings;
  readonly context: NativeContext;
  readonly slots: readonly Slot[];
  readonly loop: StepLoop;
}

/**
 * State of prefixes in ordinary memory. A native "checkpoint" of a model without sliding-window or recurrent layers
 * holds the whole sequence, and only the cells in use (measured: 4.6 kB a token for the demo model, as computed; 12
 * tokens saved in 0.3 ms). Slot-to-slot copies go the same way: the native sequence copy moves the whole stream, which
 * for a context of 128k tokens is gigabytes.
 */
export function createSnapshots({ bindings, context, slots, loop }: SnapshotOptions): SnapshotAccess {
  let bytesPerToken = 0;

  const capture = async (slot: Slot, tokens: number): Promise<Snapshot> => {
    const held = Math.min(tokens, slot.tokens.length);
    const state = new bindings.AddonContextSequenceCheckpoint();
    await state.init(context, slot.id);
    bytesPerToken = state.size / Math.max(1, slot.tokens.length);
    return { tokens: slot.tokens.slice(0, held), bytes: state.size, handle: state };
  };

  const restore = async (slot: Slot, snapshot: Snapshot): Promise<boolean> => {
    if (slot.run) return false;
    const state = snapshot.handle as NativeCheckpoint;
    const restored = await context.restoreCheckpoint(state, snapshot.tokens.length - 1, slot.id);
    if (restored) slot.adopt(snapshot.tokens);
    else slot.clear();
    return restored;
  };

  const find = (id: number): Slot => {
    const slot = slots[id];
    if (!slot) throw new RangeError(`There is no slot ${id}.`);
    return slot;
  };

  return {
    estimateBytes: (tokens) => Math.ceil(tokens * bytesPerToken),
    save: (slot, tokens) => loop.between(() => capture(find(slot), tokens)),
    load: (slot, snapshot) => loop.between(() => restore(find(slot), snapshot)),
    drop: (snapshot) => (snapshot.handle as NativeCheckpoint).dispose(),
    copy: (from, to, tokens) =>
      loop.between(async () => {
        const snapshot = await capture(find(from), tokens);
        try {
          return snapshot.tokens.length === tokens && (await restore(find(to), snapshot));
        } finally {
          (snapshot.handle as NativeCheckpoint).dispose();
        }
      }),
  };
}
