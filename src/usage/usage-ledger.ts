import type { Timers, UsageAccount, UsageLedger } from '../contract/services.ts';
import { addUp, dayMs, dayOf, newAccount } from './usage-account.ts';
import type { UsageLine } from './usage-lines.ts';
import type { UsageLog } from './usage-log.ts';

export interface LedgerOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly timers: Timers;
  /** The name of this process in the log: random hex. */
  readonly newId: () => string;
  /** Told when the log could not be written or read. */
  readonly failed: (error: unknown) => void;
}

/** So long a change may wait for others before it is written. A crash loses no more than that. */
const writeAfterMs = 5000;

/** Without a log everything is forgotten with the process. */
export function createUsageLedger(log: UsageLog | undefined, options: LedgerOptions): UsageLedger {
  return new LoggedLedger(log, options);
}

class LoggedLedger implements UsageLedger {
  readonly #log: UsageLog | undefined;
  readonly #options: LedgerOptions;
  readonly #writer: string;
  /** In no line yet. */
  #fresh = new Map<string, UsageAccount>();
  /** On their way to the log, in order; those that could not be written are tried again with the next. */
  readonly #lines: UsageLine[] = [];
  #written = 0;
  #cancelWrite: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(log: UsageLog | undefined, options: LedgerOptions) {
    this.#log = log;
    this.#options = options;
    this.#writer = options.newId();
  }

  began(owner: string): void {
    this.#add(owner, { requests: 1 });
  }

  spent(owner: string, tokens: Pick<UsageAccount, 'inputTokens' | 'cachedTokens' | 'outputTokens'>): void {
    this.#add(owner, { ...tokens, todayTokens: tokens.inputTokens + tokens.outputTokens });
  }

  today(owner: string): { readonly tokens: number; readonly msLeft: number } {
    const now = this.#options.now();
    const account = this.#accounts(owner).get(owner);
    const tokens = account && account.day === dayOf(now) ? account.todayTokens : 0;
    return { tokens, msLeft: dayMs - (now % dayMs) };
  }

  async list(): Promise<readonly UsageAccount[]> {
    await this.#log?.refresh().catch(this.#options.failed);
    const today = dayOf(this.#options.now());
    return [...this.#accounts().values()]
      .sort((one, other) => (one.owner < other.owner ? -1 : 1))
      .map((account) => ({ ...account, todayTokens: account.day === today ? account.todayTokens : 0 }));
  }

  async close(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  #add(owner: string, used: Partial<UsageAccount>): void {
    const account = { ...newAccount(owner, this.#options.now()), ...used };
    const known = this.#fresh.get(owner);
    this.#fresh.set(owner, known ? addUp(known, account) : account);
    if (this.#log) this.#cancelWrite ??= this.#options.timers.after(writeAfterMs, () => this.#write());
  }

  /** What all processes have told the log, and what this one has not told it yet; of one owner or all. */
  #accounts(only?: string): Map<string, UsageAccount> {
    const untold = this.#lines.filter((line) => !this.#log?.has(line)).flatMap(({ accounts }) => accounts);
    const told = this.#log?.accounts ?? new Map<string, UsageAccount>();
    const all = only === undefined ? new Map(told) : new Map([...told].filter(([owner]) => owner === only));
    for (const account of [...untold, ...this.#fresh.values()]) {
      const known = all.get(account.owner);
      all.set(account.owner, known ? addUp(known, account) : account);
    }
    return all;
  }

  #write(): void {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    const log = this.#log;
    if (!log) return;
    if (this.#fresh.size > 0) {
      this.#lines.push({ writer: this.#writer, number: ++this.#written, accounts: [...this.#fresh.values()] });
      this.#fresh = new Map();
    }
    this.#writing = this.#writing.then(() => this.#tell(log)).catch(this.#options.failed);
  }

  async #tell(log: UsageLog): Promise<void> {
    for (let line = this.#lines[0]; line; line = this.#lines[0]) {
      await log.append(line);
      this.#lines.shift();
    }
  }
}
