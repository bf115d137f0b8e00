/** Lets so many go at once; the others wait, in the order of their coming. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** There is none to be had at once. */
  get isFull(): boolean {
    return this.#free === 0;
  }

  /** Gives the function that hands it on, to be called once; undefined where `signal` came first. */
  async take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#handedOver(signal))) return undefined;
    return () => this.#handOn();
  }

  #handOn(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }

  #handedOver(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const mine = () => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(mine), 1);
        resolve(false);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(mine);
    });
  }
}
