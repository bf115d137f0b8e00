import { ServeError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/services.ts';
import { Bucket } from './bucket.ts';

export interface RateSettings {
  /** Undefined: no limit. */
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
}

interface Allowance {
  readonly requests: Bucket | undefined;
  readonly tokens: Bucket | undefined;
}

/**
 * What each key may use per minute. Keys are the server's own (or one for everybody while there are none), so the table
 * never grows with what clients send.
 */
export class RateLimits {
  readonly #settings: RateSettings;
  readonly #clock: Clock;
  readonly #allowances = new Map<string, Allowance>();

  constructor(settings: RateSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** One request of this key. Throws rate_limited with the time after which the next one will pass. */
  take(key: string): void {
    const { requests, tokens } = this.#allowance(key);
    const now = this.#clock();
    if (requests && requests.remaining(now) < 1)
      throw tooMany('requests', this.#settings.requestsPerMinute, requests.timeUntil(1, now));
    // Tokens are paid afterwards: any rest lets one more in.
    if (tokens && tokens.remaining(now) < 1)
      throw tooMany('tokens', this.#settings.tokensPerMinute, tokens.timeUntil(1, now));
    requests?.spend(1, now);
  }

  spendTokens(key: string, tokens: number): void {
    this.#allowance(key).tokens?.spend(tokens, this.#clock());
  }

  /** OpenAI's x-ratelimit-* headers, for the limits that there are. */
  headers(key: string): Record<string, string> {
    // Asked for refused requests too, whose made-up keys must not stay.
    const { requests, tokens } = this.#allowances.get(key) ?? {};
    const now = this.#clock();
    return {
      ...describe('requests', this.#settings.requestsPerMinute, requests, now),
      ...describe('tokens', this.#settings.tokensPerMinute, tokens, now),
    };
  }

  #allowance(key: string): Allowance {
    const known = this.#allowances.get(key);
    if (known) return known;
    const bucket = (perMinute: number | undefined) =>
      perMinute === undefined ? undefined : new Bucket(perMinute, this.#clock());
    const made = { requests: bucket(this.#settings.requestsPerMinute), tokens: bucket(this.#settings.tokensPerMinute) };
    this.#allowances.set(key, made);
    return made;
  }
}

function tooMany(what: 'requests' | 'tokens', perMinute: number | undefined, milliseconds: number): ServeError {
  return new ServeError(
    'rate_limited',
    `This key may use ${perMinute} ${what} per minute and has used them. Try again in ${Math.ceil(milliseconds / 1000)} s.`,
    { retryAfterSeconds: milliseconds / 1000 },
  );
}

function describe(
  what: string,
  limit: number | undefined,
  bucket: Bucket | undefined,
  now: number,
): Record<string, string> {
  if (limit === undefined || !bucket) return {};
  return {
    [`x-ratelimit-limit-${what}`]: String(limit),
    [`x-ratelimit-remaining-${what}`]: String(bucket.remaining(now)),
    [`x-ratelimit-reset-${what}`]: `${Math.ceil(bucket.timeUntilFull(now) / 1000)}s`,
  };
}
