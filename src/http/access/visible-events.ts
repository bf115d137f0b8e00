import type { Caller } from '../../contract/caller.ts';
import type { ControlEvent, SlotReport } from '../../contract/control.ts';

/**
 * What of the server's events a caller may see, one reader's after another: of slots that hold another's tokens only that
 * they are busy. Undefined where that says nothing new: how quickly another's slot fills is not told by repetition either.
 */
export function visibleTo(caller: Pick<Caller, 'sees'>): (event: ControlEvent) => ControlEvent | undefined {
  const told = new Map<string, string>();
  return (event) => {
    if (event.type !== 'slots') return event;
    const seen = { ...event, slots: event.slots.map((slot) => visibleSlot(slot, caller)) };
    const text = JSON.stringify(seen.slots);
    if (told.get(event.model) === text) return undefined;
    told.set(event.model, text);
    return seen;
  };
}

export function visibleSlot(slot: SlotReport, { sees }: Pick<Caller, 'sees'>): SlotReport {
  return slot.owner === undefined || sees(slot.owner) ? slot : { id: slot.id, state: slot.state, tokens: undefined };
}
