import { ServeError } from '../../contract/errors.ts';
import { MinuteAccount } from './minute-account.ts';

export interface RateSettings {
  /** Undefined: no limit. */
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
}

/** What each key may use per minute. Ask only for keys that are the server's own. */
export class RateLimits {
  readonly #requests: MinuteAccount | undefined;
  readonly #tokens: MinuteAccount | undefined;

  constructor({ requestsPerMinute, tokensPerMinute }: RateSettings) {
    const account = (limit: number | undefined) => (limit === undefined ? undefined : new MinuteAccount(limit));
    this.#requests = account(requestsPerMinute);
    this.#tokens = account(tokensPerMinute);
  }

  /** One request of this key. Throws rate_limited with the time after which the next one will pass. */
  async take(key: string): Promise<void> {
    // Tokens are paid afterwards: any rest lets one more in.
    const tokens = await this.#tokens?.balance(key);
    if (tokens && tokens.remaining <= 0) throw tooMany('tokens', this.#tokens?.limit, tokens.resetMs);
    const wait = await this.#requests?.takeOne(key);
    if (wait !== undefined) throw tooMany('requests', this.#requests?.limit, wait);
  }

  async spendTokens(key: string, tokens: number): Promise<void> {
    await this.#tokens?.spend(key, tokens);
  }

  /** OpenAI's x-ratelimit-* headers, for the limits that there are. */
  async headers(key: string): Promise<Record<string, string>> {
    return {
      ...(await describe('requests', this.#requests, key)),
      ...(await describe('tokens', this.#tokens, key)),
    };
  }
}

type Counted = 'requests' | 'tokens';

function tooMany(what: Counted, limit: number | undefined, milliseconds: number): ServeError {
  return new ServeError(
    'rate_limited',
    `This key may use ${limit} ${what} per minute and has used them. Try again in ${Math.ceil(milliseconds / 1000)} s.`,
    { retryAfterSeconds: milliseconds / 1000 },
  );
}

async function describe(
  what: Counted,
  account: MinuteAccount | undefined,
  key: string,
): Promise<Record<string, string>> {
  if (!account) return {};
  const { remaining, resetMs } = await account.balance(key);
  return {
    [`x-ratelimit-limit-${what}`]: String(account.limit),
    [`x-ratelimit-remaining-${what}`]: String(remaining),
    [`x-ratelimit-reset-${what}`]: `${Math.ceil(resetMs / 1000)}s`,
  };
}
