import type { Clock, Timers } from '../contract/services.ts';

export interface UsesOptions {
  /** Milliseconds without use after which `onUnused` is called; undefined: never. */
  readonly keepAliveMs: number | undefined;
  /** Whether there is anything now that could go. */
  readonly mayGo: () => boolean;
  readonly onUnused: () => void;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Who uses a model, and how long nobody has. */
export class Uses {
  /** When the last use ended, or the last load. */
  lastUsed: number;
  #options: UsesOptions;
  #count = 0;
  #whenNone: () => void = () => undefined;
  #disarm: () => void = () => undefined;

  constructor(options: UsesOptions) {
    this.#options = options;
    this.lastUsed = options.clock();
  }

  get none(): boolean {
    return this.#count === 0;
  }

  /** Gives what ends it; called again, that does nothing. */
  begin(): () => void {
    this.#count++;
    this.#disarm();
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#count--;
      this.rest();
    };
  }

  /** From now on time without use is counted, unless somebody uses it. */
  rest(): void {
    const { keepAliveMs, mayGo, onUnused, clock, timers } = this.#options;
    this.lastUsed = clock();
    if (this.#count > 0) return;
    this.#whenNone();
    this.#disarm();
    if (keepAliveMs === undefined || !mayGo()) return;
    this.#disarm = timers.after(keepAliveMs, () => {
      if (this.none && mayGo()) onUnused();
    });
  }

  /** It goes by other means: time without use does not count any more. */
  stop(): void {
    this.#disarm();
  }

  /** Settles when nobody uses it, or nobody is to be waited for any more. */
  async ended(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenNone = resolve;
    });
  }

  /** Those who wait for the end of the uses wait no longer. */
  abandon(): void {
    this.#disarm();
    this.#whenNone();
  }
}
