import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { Timers, UsageAccount, UsageLedger } from '../contract/services.ts';
import type { Shelf } from './shelf.ts';

export interface LedgerOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly timers: Timers;
  /** Told when what was used could not be written. */
  readonly failed: (error: unknown) => void;
}

const name = 'usage';
/** So long a change may wait for others before it is written. A crash loses no more than that. */
const writeAfterMs = 5000;
const dayMs = 86_400_000;

/** Takes up what lies on the shelf from before; a text that is none of its own counts as nothing. */
export async function openUsageLedger(shelf: Shelf, options: LedgerOptions): Promise<UsageLedger> {
  return new ShelfLedger(shelf, options, readAccounts(await shelf.read(name)));
}

type Account = { -readonly [Member in keyof UsageAccount]: UsageAccount[Member] };

class ShelfLedger implements UsageLedger {
  readonly #shelf: Shelf;
  readonly #options: LedgerOptions;
  readonly #accounts: Map<string, Account>;
  #cancelWrite: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(shelf: Shelf, options: LedgerOptions, accounts: readonly Account[]) {
    this.#shelf = shelf;
    this.#options = options;
    this.#accounts = new Map(accounts.map((account) => [account.owner, account]));
  }

  began(owner: string): void {
    this.#account(owner).requests++;
    this.#changed();
  }

  spent(owner: string, tokens: Pick<UsageAccount, 'inputTokens' | 'cachedTokens' | 'outputTokens'>): void {
    const account = this.#account(owner);
    account.inputTokens += tokens.inputTokens;
    account.cachedTokens += tokens.cachedTokens;
    account.outputTokens += tokens.outputTokens;
    account.todayTokens += tokens.inputTokens + tokens.outputTokens;
    this.#changed();
  }

  today(owner: string): { readonly tokens: number; readonly msLeft: number } {
    const now = this.#options.now();
    const account = this.#accounts.get(owner);
    const tokens = account && account.day === dayOf(now) ? account.todayTokens : 0;
    return { tokens, msLeft: dayMs - (now % dayMs) };
  }

  list(): readonly UsageAccount[] {
    return [...this.#accounts.values()].map((account) => ({
      ...account,
      todayTokens: this.today(account.owner).tokens,
    }));
  }

  async close(): Promise<void> {
    if (this.#cancelWrite) this.#write();
    await this.#writing;
  }

  #account(owner: string): Account {
    const now = this.#options.now();
    const account = this.#accounts.get(owner) ?? newAccount(owner, now);
    this.#accounts.set(owner, account);
    account.lastUsed = now;
    if (account.day !== dayOf(now)) Object.assign(account, { day: dayOf(now), todayTokens: 0 });
    return account;
  }

  #changed(): void {
    this.#cancelWrite ??= this.#options.timers.after(writeAfterMs, () => this.#write());
  }

  #write(): void {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    const text = JSON.stringify({ version: 1, accounts: [...this.#accounts.values()] });
    this.#writing = this.#writing.then(() => this.#shelf.write(name, text)).catch(this.#options.failed);
  }
}

function newAccount(owner: string, now: number): Account {
  const nothing = { requests: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, todayTokens: 0 };
  return { owner, since: now, lastUsed: now, day: dayOf(now), ...nothing };
}

/** Days of UTC since 1970. */
function dayOf(unixMs: number): number {
  return Math.floor(unixMs / dayMs);
}

function readAccounts(text: string | undefined): Account[] {
  const value = parsed(text);
  if (!isJsonObject(value) || !Array.isArray(value.accounts)) return [];
  return value.accounts.flatMap((account) => (isJsonObject(account) ? readAccount(account) : []));
}

function readAccount(read: JsonObject): Account[] {
  const { owner } = read;
  if (typeof owner !== 'string') return [];
  const numbers = Object.entries(newAccount(owner, 0)).flatMap(([member, zero]) => {
    const value = read[member];
    return typeof zero === 'number' ? [[member, typeof value === 'number' ? value : zero] as const] : [];
  });
  return [{ ...newAccount(owner, 0), ...Object.fromEntries(numbers) }];
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
