import type { FakeSlot } from './run.ts';

interface Waiter {
  readonly slot: FakeSlot;
  readonly tokens: number;
  started: boolean;
  settle(held: boolean): void;
}

/** Those who wait until a slot holds so many tokens of its run's prompt. */
export class FakeHolders {
  readonly #waiters = new Set<Waiter>();

  wait(slot: FakeSlot, tokens: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        end();
        reject(signal.reason);
      };
      const waiter: Waiter = {
        slot,
        tokens,
        started: slot.run !== undefined,
        settle: (held) => {
          end();
          resolve(held);
        },
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener('abort', onAbort);
      this.#waiters.add(waiter);
      this.check(slot);
    });
  }

  /** To be called whenever the slot's tokens or its run changed. */
  check(slot: FakeSlot): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.slot !== slot) continue;
      if (slot.run) waiter.started = true;
      if (slot.run && slot.tokens.length >= waiter.tokens) waiter.settle(true);
      else if (!slot.run && waiter.started) waiter.settle(slot.tokens.length >= waiter.tokens);
    }
  }
}
