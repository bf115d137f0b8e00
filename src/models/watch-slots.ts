import type { Timers } from '../contract/services.ts';
import type { ControlEvents } from './control-events.ts';
import type { ModelSlots } from './model-reports.ts';

/** How often the slots are looked at while somebody watches. */
const slotsEveryMs = 250;

export interface SlotWatch {
  readonly events: ControlEvents;
  readonly slots: () => readonly ModelSlots[];
  readonly timers: Timers;
}

/** Looks at the slots while anybody reads events, and tells what changed. To be called whenever somebody begins to read. */
export function createSlotWatch({ events, slots, timers }: SlotWatch): () => void {
  let watching = false;
  return () => {
    if (watching) return;
    watching = true;
    let told = new Map<string, string>();
    const look = () => {
      watching = events.readers > 0;
      if (!watching) return;
      const now = slots().map((report) => ({ report, text: JSON.stringify(report) }));
      for (const { report, text } of now) {
        if (told.get(report.model) !== text) events.publish({ type: 'slots', ...report });
      }
      told = new Map(now.map(({ report, text }) => [report.model, text]));
      timers.after(slotsEveryMs, look);
    };
    timers.after(0, look);
  };
}
