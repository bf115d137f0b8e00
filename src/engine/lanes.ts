interface Waiter<T> {
  readonly start: (lane: T) => void;
  readonly fail: (reason: unknown) => void;
}

/**
 * Up to `most` resources that do one thing at a time, made when there is work for them and kept. Work starts in the
 * order in which it came; work whose signal is aborted while it waits never starts.
 */
export class Lanes<T> {
  readonly #create: () => Promise<T>;
  #most: number;
  readonly #made: T[] = [];
  readonly #free: T[] = [];
  readonly #waiting = new Set<Waiter<T>>();
  readonly #running = new Set<Promise<unknown>>();
  /** Made or being made. */
  #count = 0;
  #closed: Error | undefined;

  constructor(most: number, create: () => Promise<T>) {
    this.#most = most;
    this.#create = create;
  }

  use<R>(signal: AbortSignal, work: (lane: T) => Promise<R>): Promise<R> {
    const running = this.#run(signal, work);
    this.#running.add(running);
    const forget = () => this.#running.delete(running);
    running.then(forget, forget);
    return running;
  }

  /**
   * Does the work of every entry, results in their order. A caller never waits in line more often than there are lanes,
   * so a long list does not keep the others out. The first failure ends it: what has not begun then never begins.
   */
  async useForAll<E, R>(
    entries: readonly E[],
    signal: AbortSignal,
    work: (lane: T, entry: E) => Promise<R>,
  ): Promise<R[]> {
    const results: R[] = [];
    const queue = entries.entries();
    let failed = false;
    const worker = async () => {
      for (const [index, entry] of queue) {
        if (failed) return;
        results[index] = await this.use(signal, (lane) => work(lane, entry));
      }
    };
    const workers = Array.from({ length: Math.min(this.#most, entries.length) }, () =>
      worker().catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    );
    await Promise.allSettled(workers);
    await Promise.all(workers);
    return results;
  }

  /** Refuses new and waiting work with `reason`, waits for the work under way, and hands the resources out. */
  async close(reason: Error): Promise<readonly T[]> {
    this.#closed = reason;
    this.#failAll(reason);
    await Promise.allSettled(this.#running);
    return this.#made;
  }

  async #run<R>(signal: AbortSignal, work: (lane: T) => Promise<R>): Promise<R> {
    const lane = await this.#take(signal);
    try {
      signal.throwIfAborted();
      return await work(lane);
    } finally {
      this.#give(lane);
    }
  }

  async #take(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#closed) throw this.#closed;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    return this.#count < this.#most ? this.#make(signal) : this.#wait(signal);
  }

  async #make(signal: AbortSignal): Promise<T> {
    this.#count += 1;
    try {
      const lane = await this.#create();
      this.#made.push(lane);
      return lane;
    } catch (error) {
      this.#count -= 1;
      if (this.#count === 0) {
        this.#failAll(error);
        throw error;
      }
      // One more does not fit, but those that are there still work.
      this.#most = this.#count;
      return this.#take(signal);
    }
  }

  #wait(signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', abort);
      };
      const abort = () => waiter.fail(signal.reason);
      const waiter: Waiter<T> = {
        start: (lane) => {
          leave();
          resolve(lane);
        },
        fail: (reason) => {
          leave();
          reject(reason);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #give(lane: T): void {
    const [next] = this.#waiting;
    if (next) next.start(lane);
    else this.#free.push(lane);
  }

  #failAll(reason: unknown): void {
    for (const waiter of this.#waiting) waiter.fail(reason);
  }
}
