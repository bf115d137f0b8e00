export interface Balance {
  /** 0 or less: nothing. */
  readonly remaining: number;
  /** Milliseconds until all of the limit is there again; 0: it is. */
  readonly resetMs: number;
}

/** What may be used in a time. */
export interface TokenAccount {
  readonly limit: number;
  readonly per: 'minute' | 'day';
  balance(owner: string): Promise<Balance> | Balance;
}
