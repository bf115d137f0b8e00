import { untilAborted } from '../contract/signals.ts';

/** One load for however many wait for it. It is given up when everybody who waited has left. */
export class SharedLoad<Loaded> {
  readonly #promise: Promise<Loaded>;
  readonly #abort = new AbortController();
  #waiters = 0;
  /** Nobody waited for it any more: who comes now does not want its end, but a load of its own after that. */
  isGivenUp = false;

  constructor(load: (signal: AbortSignal) => Promise<Loaded>) {
    this.#promise = load(this.#abort.signal);
    this.#promise.catch(() => undefined); // those who wait get it; when nobody waits any more it is no news
  }

  async wait(signal: AbortSignal): Promise<Loaded> {
    this.#waiters++;
    try {
      return await untilAborted(this.#promise, signal);
    } finally {
      this.#waiters--;
      if (this.#waiters === 0 && signal.aborted) {
        this.isGivenUp = true;
        this.#abort.abort(signal.reason);
      }
    }
  }

  /** Settles when it has ended, however. */
  async ended(): Promise<void> {
    await this.#promise.catch(() => undefined);
  }

  /** Settles when it has ended. */
  async cancel(reason: Error): Promise<void> {
    this.#abort.abort(reason);
    await this.ended();
  }
}
