import type { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Balance } from './balance.ts';

const windowSeconds = 60;
/** Timers go wrong beyond 24 days; who owes more than a day has paid by then. */
const longestSeconds = 86_400;

/**
 * What each person may use in a minute, which begins with the first use. It may be overdrawn, because what an answer costs
 * is known only when it is there; the minute is then as much longer as the limit takes to pay for it. A person is
 * forgotten at the end of the minute, so the memory is that of the persons in use.
 *
 * The time is the library's own: the system's clock and timers.
 */
export class MinuteAccount {
  readonly limit: number;
  readonly per = 'minute';
  readonly #limiter: Promise<RateLimiterMemory>;
  #paying: Promise<void> = Promise.resolve();

  constructor(limit: number) {
    this.limit = limit;
    // Only where there are limits: it brings the adapters of a dozen databases along, 30 ms at every start.
    this.#limiter = import('rate-limiter-flexible').then(
      ({ RateLimiterMemory }) => new RateLimiterMemory({ points: limit, duration: windowSeconds }),
    );
  }

  async balance(owner: string): Promise<Balance> {
    const found = await (await this.#limiter).get(owner);
    // Its timer may be late.
    if (found === null || found.msBeforeNext <= 0) return { remaining: this.limit, resetMs: 0 };
    return { remaining: found.remainingPoints, resetMs: found.msBeforeNext };
  }

  /** Uses one up. Gives the milliseconds until there are some again if there was none left. */
  async takeOne(owner: string): Promise<number | undefined> {
    // At once, so that of many that come together only as many get one as there are.
    const { consumedPoints, msBeforeNext } = await (await this.#limiter).penalty(owner, 1);
    return consumedPoints > this.limit ? msBeforeNext : undefined;
  }

  /** One after the other: what each has to pay comes behind what those before it have. */
  spend(owner: string, amount: number): Promise<void> {
    const paid = this.#paying.then(() => this.#spend(owner, amount));
    this.#paying = paid.catch(() => undefined);
    return paid;
  }

  async #spend(owner: string, amount: number): Promise<void> {
    if (amount <= 0) return;
    const limiter = await this.#limiter;
    const after = await limiter.penalty(owner, amount);
    const owed = Math.min(amount, after.consumedPoints - this.limit);
    if (owed > 0) await limiter.set(owner, after.consumedPoints, this.#secondsToPay(owed, after));
  }

  #secondsToPay(owed: number, { msBeforeNext }: RateLimiterRes): number {
    return Math.min(longestSeconds, msBeforeNext / 1000 + (owed / this.limit) * windowSeconds);
  }
}
