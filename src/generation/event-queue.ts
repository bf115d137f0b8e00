import { createDeferred, type Deferred } from '../contract/deferred.ts';

/**
 * Events made synchronously by the step loop, read by one consumer at its own pace. Between `high` and `low` waiting
 * events the producer is told to pause: a slow reader slows its own sequence, and memory stays flat.
 */
export class EventQueue<Event> {
  readonly #waiting: Event[] = [];
  readonly #onFull: () => void;
  readonly #onDrained: () => void;
  #reader: Deferred<void> | undefined;
  #end: { readonly error: unknown } | 'closed' | undefined;
  #full = false;

  constructor(onFull: () => void, onDrained: () => void) {
    this.#onFull = onFull;
    this.#onDrained = onDrained;
  }

  add(events: readonly Event[]): void {
    if (this.#end || events.length === 0) return;
    this.#waiting.push(...events);
    if (!this.#full && this.#waiting.length > highWaterMark) {
      this.#full = true;
      this.#onFull();
    }
    this.#wake();
  }

  close(): void {
    this.#end ??= 'closed';
    this.#wake();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** The next event; undefined at the end; throws what `fail` was given. One reader only. */
  async next(): Promise<Event | undefined> {
    while (true) {
      const event = this.#waiting.shift();
      if (event !== undefined) {
        this.#drain();
        return event;
      }
      if (this.#end === 'closed') return undefined;
      if (this.#end) throw this.#end.error;
      this.#reader = createDeferred();
      await this.#reader.promise;
    }
  }

  #drain(): void {
    if (!this.#full || this.#waiting.length > lowWaterMark) return;
    this.#full = false;
    this.#onDrained();
  }

  #wake(): void {
    this.#reader?.resolve();
    this.#reader = undefined;
  }
}

const highWaterMark = 256;
const lowWaterMark = 64;
