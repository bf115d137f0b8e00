import type { Timers } from '../contract/services.ts';
import type { Waiting } from './choose.ts';
import type { Stay } from './stay.ts';

export interface QueueEntry extends Waiting {
  readonly signal: AbortSignal;
  /** The last that it was told. */
  position?: number;
  /** Called once, when a slot was chosen for it. */
  take(stay: Stay): void;
}

/** Those who wait for a slot. An entry leaves exactly once: taken, aborted, or out of time. */
export class AdmissionQueue {
  readonly #entries = new Map<QueueEntry, { readonly clearTimer: () => void; readonly onAbort: () => void }>();
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** In order of arrival. */
  list(): QueueEntry[] {
    return [...this.#entries.keys()];
  }

  add(
    entry: QueueEntry,
    limits: { readonly timeoutMs: number | undefined; readonly onTimeout: () => void; readonly onAbort: () => void },
  ): void {
    const onAbort = () => {
      if (this.remove(entry)) limits.onAbort();
    };
    const onTimeout = () => {
      if (this.#entries.has(entry)) limits.onTimeout();
    };
    entry.signal.addEventListener('abort', onAbort);
    const { timeoutMs } = limits;
    const clearTimer = timeoutMs === undefined ? () => undefined : this.#timers.after(timeoutMs, onTimeout);
    this.#entries.set(entry, { onAbort, clearTimer });
  }

  /** False when it had left already. */
  remove(entry: QueueEntry): boolean {
    const bound = this.#entries.get(entry);
    if (!bound) return false;
    this.#entries.delete(entry);
    bound.clearTimer();
    entry.signal.removeEventListener('abort', bound.onAbort);
    return true;
  }
}
