import type { Context } from '../../native/context.ts';
import type { Slot } from './slot.ts';

type WipedMemory = Pick<Context, 'wipe' | 'saveState' | 'restoreState'>;

/**
 * Takes what is no number out of a slot's memory. Emptying the slot does not: attention gives cells that nobody owns a
 * weight of 0, and 0 times what is no number is none either, so whoever comes next would get none. llama.cpp zeroes all
 * memory or nothing, so what the other slots hold is copied out and in again; where that is refused it is read anew.
 */
export function wipeSlot(spoilt: Slot, slots: readonly Slot[], memory: WipedMemory): void {
  const others = slots.filter((slot) => slot !== spoilt && slot.tokens.length > 0);
  const kept = others.map((slot) => ({ slot, state: memory.saveState(slot.id) }));
  memory.wipe();
  spoilt.adopt([]);
  for (const { slot, state } of kept) {
    if (memory.restoreState(slot.id, state)) continue;
    slot.run?.readAgain(slot.tokens);
    slot.clear();
  }
}
