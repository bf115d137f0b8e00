import type { KeyLimits } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import { Account } from './account.ts';

export type RateSettings = Pick<KeyLimits, 'requestsPerMinute' | 'tokensPerMinute' | 'tokensPerDay'>;

/** What each person may use in a time. Ask only for persons whose key was checked. */
export class RateLimits {
  readonly #limitsOf: (owner: string) => RateSettings;
  /** By window, what is counted and limit: persons with the same limit share the account's table, nothing else. */
  readonly #accounts = new Map<string, Account>();

  /** Absent members: no limit. Asked at every use, because keys may change while the server runs. */
  constructor(limitsOf: (owner: string) => RateSettings) {
    this.#limitsOf = limitsOf;
  }

  /** One request of this person. Throws rate_limited with the time after which the next one will pass. */
  async take(owner: string): Promise<void> {
    // Tokens are paid afterwards: any rest lets one more in.
    for (const account of this.#tokens(owner)) {
      const { remaining, resetMs } = await account.balance(owner);
      if (remaining <= 0) throw tooMany('tokens', account, resetMs);
    }
    for (const account of this.#requests(owner)) {
      const wait = await account.takeOne(owner);
      if (wait !== undefined) throw tooMany('requests', account, wait);
    }
  }

  async spendTokens(owner: string, tokens: number): Promise<void> {
    for (const account of this.#tokens(owner)) await account.spend(owner, tokens);
  }

  /** OpenAI's x-ratelimit-* headers, for the limits that there are; of several, for the one that is nearest. */
  async headers(owner: string): Promise<Record<string, string>> {
    return {
      ...(await describe('requests', this.#requests(owner), owner)),
      ...(await describe('tokens', this.#tokens(owner), owner)),
    };
  }

  #requests(owner: string): Account[] {
    return this.#existing([this.#account('requests', 'minute', this.#limitsOf(owner).requestsPerMinute)]);
  }

  #tokens(owner: string): Account[] {
    const { tokensPerMinute, tokensPerDay } = this.#limitsOf(owner);
    return this.#existing([
      this.#account('tokens', 'minute', tokensPerMinute),
      this.#account('tokens', 'day', tokensPerDay),
    ]);
  }

  #existing(accounts: readonly (Account | undefined)[]): Account[] {
    return accounts.filter((account) => account !== undefined);
  }

  #account(what: Counted, per: Account['per'], limit: number | undefined): Account | undefined {
    if (limit === undefined) return undefined;
    const name = `${what}/${per} ${limit}`;
    const account = this.#accounts.get(name) ?? new Account(limit, per);
    this.#accounts.set(name, account);
    return account;
  }
}

type Counted = 'requests' | 'tokens';

function tooMany(what: Counted, { limit, per }: Account, milliseconds: number): ServeError {
  return new ServeError(
    'rate_limited',
    `This key may use ${limit} ${what} per ${per} and has used them. Try again in ${Math.ceil(milliseconds / 1000)} s.`,
    { retryAfterSeconds: milliseconds / 1000 },
  );
}

async function describe(what: Counted, accounts: readonly Account[], owner: string): Promise<Record<string, string>> {
  const known = await Promise.all(
    accounts.map(async (account) => ({ limit: account.limit, ...(await account.balance(owner)) })),
  );
  const [nearest] = known.toSorted((one, other) => one.remaining - other.remaining);
  if (!nearest) return {};
  return {
    [`x-ratelimit-limit-${what}`]: String(nearest.limit),
    [`x-ratelimit-remaining-${what}`]: String(nearest.remaining),
    [`x-ratelimit-reset-${what}`]: `${Math.ceil(nearest.resetMs / 1000)}s`,
  };
}
