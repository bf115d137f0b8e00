/**
 * A bucket that holds one minute's allowance and refills evenly, so that a client that spends slowly never waits. It may
 * be overdrawn, because what an answer costs is known only when it is there; who overdrew it waits longer.
 */
export class Bucket {
  readonly #perMinute: number;
  #level: number;
  #at: number;

  /** `now` in milliseconds, as everywhere here. */
  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#level = perMinute;
    this.#at = now;
  }

  /** What is left, never below nothing. */
  remaining(now: number): number {
    return Math.max(0, Math.floor(this.#levelAt(now)));
  }

  spend(amount: number, now: number): void {
    this.#level = this.#levelAt(now) - amount;
    this.#at = now;
  }

  /** Milliseconds until so much is there again. */
  timeUntil(amount: number, now: number): number {
    return Math.max(0, ((amount - this.#levelAt(now)) * 60_000) / this.#perMinute);
  }

  /** Milliseconds until it is full. */
  timeUntilFull(now: number): number {
    return this.timeUntil(this.#perMinute, now);
  }

  #levelAt(now: number): number {
    return Math.min(this.#perMinute, this.#level + ((now - this.#at) / 60_000) * this.#perMinute);
  }
}
