import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { UsageAccount } from '../contract/services.ts';
import { addUp, readAccounts } from './usage-account.ts';

/** What one process counted in a few seconds: a line of the log. It counts once, however often it stands there. */
export interface UsageLine {
  /** The process. */
  readonly writer: string;
  /** Its lines, counted from 1. */
  readonly number: number;
  readonly accounts: readonly UsageAccount[];
}

/** The lines of a process that are counted: all up to one, and some after it. */
interface Counted {
  through: number;
  readonly further: Set<number>;
  /** When its owners were there last, unix milliseconds. */
  last: number;
}

/** No process writes the same line again after so long. */
const forgottenAfterMs = 86_400_000;

export function lineText({ writer, number, accounts }: UsageLine): string {
  return `${JSON.stringify({ writer, number, accounts })}\n`;
}

/** What the lines of a log say together. */
export class UsageTally {
  readonly accounts = new Map<string, UsageAccount>();
  /** Those after the first line, which may stand for all that came before it. */
  readonly lines: UsageLine[] = [];
  readonly #counted = new Map<string, Counted>();

  /** Whatever is none of its lines, such as one that a killed process left torn, says nothing. */
  take(text: string): void {
    const value = parsed(text);
    if (!isJsonObject(value)) return;
    const { writer, number, through } = value;
    const accounts = readAccounts(value.accounts);
    if (isJsonObject(through)) {
      for (const account of accounts) this.#add(account);
      for (const [process, counted] of Object.entries(through)) this.#takeThrough(process, counted);
    } else if (typeof writer === 'string' && typeof number === 'number') {
      this.count({ writer, number, accounts });
    }
  }

  has({ writer, number }: Pick<UsageLine, 'writer' | 'number'>): boolean {
    const counted = this.#counted.get(writer);
    return counted !== undefined && (number <= counted.through || counted.further.has(number));
  }

  count(line: UsageLine): void {
    if (this.has(line)) return;
    // A process that was away for so long that it was forgotten goes on with its next line.
    const counted = this.#counted.get(line.writer) ?? { through: line.number - 1, further: new Set(), last: 0 };
    this.#counted.set(line.writer, counted);
    counted.further.add(line.number);
    while (counted.further.delete(counted.through + 1)) counted.through++;
    counted.last = Math.max(counted.last, ...line.accounts.map(({ lastUsed }) => lastUsed));
    this.lines.push(line);
    for (const account of line.accounts) this.#add(account);
  }

  /** One line that says the same. */
  anew(now: number, id: string): string {
    const recent = [...this.#counted].filter(([, { last }]) => now - last < forgottenAfterMs);
    const through = recent.map(([writer, { through: to, further, last }]) => [writer, [last, to, ...further]]);
    const accounts = [...this.accounts.values()];
    return `${JSON.stringify({ version: 2, id, through: Object.fromEntries(through), accounts })}\n`;
  }

  #add(account: UsageAccount): void {
    const known = this.accounts.get(account.owner);
    this.accounts.set(account.owner, known ? addUp(known, account) : account);
  }

  #takeThrough(process: string, value: JsonValue | undefined): void {
    const [last, through, ...further] = Array.isArray(value) ? value.filter((each) => typeof each === 'number') : [];
    if (last === undefined || through === undefined) return;
    this.#counted.set(process, { through, further: new Set(further), last });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
