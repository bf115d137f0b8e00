import type { KeyLimits } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import type { UsageLedger } from '../../contract/services.ts';
import type { Balance, TokenAccount } from './balance.ts';
import { MinuteAccount } from './minute-account.ts';

export type RateSettings = Pick<KeyLimits, 'requestsPerMinute' | 'tokensPerMinute' | 'tokensPerDay'>;

/** What each person may use in a time. Ask only for persons whose key was checked. */
export class RateLimits {
  readonly #limitsOf: (owner: string) => RateSettings;
  readonly #ledger: Pick<UsageLedger, 'today'>;
  /** By what is counted and limit: persons with the same limit share the account's table, nothing else. */
  readonly #accounts = new Map<string, MinuteAccount>();

  /** Absent members: no limit. Asked at every use, because keys may change while the server runs. */
  constructor(limitsOf: (owner: string) => RateSettings, ledger: Pick<UsageLedger, 'today'>) {
    this.#limitsOf = limitsOf;
    this.#ledger = ledger;
  }

  /** One request of this person. Throws rate_limited with the time after which the next one will pass. */
  async take(owner: string): Promise<void> {
    // Tokens are paid afterwards: any rest lets one more in.
    for (const account of this.#tokens(owner)) {
      const { remaining, resetMs } = await account.balance(owner);
      if (remaining <= 0) throw tooMany('tokens', account, resetMs);
    }
    const requests = this.#minute('requests', this.#limitsOf(owner).requestsPerMinute);
    const wait = await requests?.takeOne(owner);
    if (requests && wait !== undefined) throw tooMany('requests', requests, wait);
  }

  /** Those of a day are the ledger's. */
  async spendTokens(owner: string, tokens: number): Promise<void> {
    await this.#minute('tokens', this.#limitsOf(owner).tokensPerMinute)?.spend(owner, tokens);
  }

  /** OpenAI's x-ratelimit-* headers, for the limits that there are; of several, for the one that is nearest. */
  async headers(owner: string): Promise<Record<string, string>> {
    const requests = this.#minute('requests', this.#limitsOf(owner).requestsPerMinute);
    return {
      ...(await describe('requests', requests ? [requests] : [], owner)),
      ...(await describe('tokens', this.#tokens(owner), owner)),
    };
  }

  #tokens(owner: string): TokenAccount[] {
    const { tokensPerMinute, tokensPerDay } = this.#limitsOf(owner);
    const minute = this.#minute('tokens', tokensPerMinute);
    return [...(minute ? [minute] : []), ...(tokensPerDay === undefined ? [] : [this.#day(tokensPerDay)])];
  }

  #minute(what: Counted, limit: number | undefined): MinuteAccount | undefined {
    if (limit === undefined) return undefined;
    const name = `${what} ${limit}`;
    const account = this.#accounts.get(name) ?? new MinuteAccount(limit);
    this.#accounts.set(name, account);
    return account;
  }

  /** A day of UTC, which is remembered over restarts where the ledger is. */
  #day(limit: number): TokenAccount {
    return {
      limit,
      per: 'day',
      balance: (owner): Balance => {
        const { tokens, msLeft } = this.#ledger.today(owner);
        return { remaining: Math.max(0, limit - tokens), resetMs: tokens > 0 ? msLeft : 0 };
      },
    };
  }
}

type Counted = 'requests' | 'tokens';

function tooMany(what: Counted, { limit, per }: Pick<TokenAccount, 'limit' | 'per'>, milliseconds: number): ServeError {
  return new ServeError(
    'rate_limited',
    `This key may use ${limit} ${what} per ${per} and has used them. Try again in ${Math.ceil(milliseconds / 1000)} s.`,
    { retryAfterSeconds: milliseconds / 1000 },
  );
}

async function describe(
  what: Counted,
  accounts: readonly TokenAccount[],
  owner: string,
): Promise<Record<string, string>> {
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
