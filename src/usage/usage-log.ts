import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../contract/json.ts';
import type { UsageAccount } from '../contract/services.ts';
import { compactLog, type LogForm, recoverLog } from '../files/compact-log.ts';
import type { LockOptions } from '../files/file-lock.ts';
import { makeFolder } from '../files/make-folder.ts';
import { undefinedWhenMissing } from '../files/missing.ts';
import { readLines } from '../files/read-lines.ts';
import { writeWhole } from '../files/write-whole.ts';
import { readAccounts } from './usage-account.ts';
import { lineText, type UsageLine, UsageTally } from './usage-lines.ts';

export interface UsageLogOptions extends LockOptions {
  /** The file is written anew, as one line, when it has more. */
  readonly mostLines?: number | undefined;
}

const usualMostLines = 500;
/** Appends that find the file replaced under them. */
const mostAttempts = 10;
/** Of the first line, to tell a file that was written anew: its id is within. */
const headBytes = 64;

/**
 * What all processes that share a folder have counted. Each appends lines, one write each, which the system puts after
 * whatever is there; nobody writes over what another has counted. See compactLog for how the file is written anew.
 */
export class UsageLog {
  readonly #path: string;
  readonly #options: UsageLogOptions;
  #tally = new UsageTally();
  #inode: bigint | undefined;
  #head = '';
  #end = 0;
  /** One look or change at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(path: string, options: UsageLogOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** As of the last look. */
  get accounts(): ReadonlyMap<string, UsageAccount> {
    return this.#tally.accounts;
  }

  has(line: UsageLine): boolean {
    return this.#tally.has(line);
  }

  /** Safe when it settles. A line that was appended before, whatever came of it, may be appended again. */
  append(line: UsageLine): Promise<void> {
    return this.#inTurn(() => this.#append(line));
  }

  /** Takes in what came since the last look. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#refresh());
  }

  async #append(line: UsageLine): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      if (!(await this.#write(`\n${lineText(line)}`))) continue;
      await this.#refresh();
      // What was asked for is safe: this is housekeeping, and the next one does it if this one cannot.
      if (this.#tally.lines.length > (this.#options.mostLines ?? usualMostLines)) await this.#compact();
      return;
    }
    throw new Error(`${this.#path} was replaced again and again`);
  }

  async #refresh(): Promise<void> {
    const handle = await open(this.#path, 'r').catch(undefinedWhenMissing);
    if (!handle) return this.#forget();
    try {
      const { ino, size } = await handle.stat({ bigint: true });
      const head = await headOf(handle);
      // The number of a file that is gone may be given to the next one.
      if (this.#inode !== ino || Number(size) < this.#end || !head.startsWith(this.#head)) this.#forget();
      this.#inode = ino;
      this.#head = head;
      this.#end = await readLines(handle, this.#end, Number(size), (line) => {
        this.#tally.take(line);
        return true;
      });
    } finally {
      await handle.close();
    }
  }

  async #compact(): Promise<void> {
    const { now, newId } = this.#options;
    if (await compactLog(this.#path, usageForm(now, newId), this.#options)) await this.#refresh();
  }

  /** False: the path leads to another file now. */
  async #write(text: string): Promise<boolean> {
    const handle = await open(this.#path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
    try {
      const { ino } = await handle.stat({ bigint: true });
      await writeWhole(handle, text);
      const there = await stat(this.#path, { bigint: true }).catch(undefinedWhenMissing);
      return there?.ino === ino;
    } finally {
      await handle.close();
    }
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(act);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  #forget(): void {
    this.#tally = new UsageTally();
    this.#inode = undefined;
    this.#head = '';
    this.#end = 0;
  }
}

/** What lies in the folder from before is taken up, also what an earlier version left there. */
export async function openUsageLog(folder: string, options: UsageLogOptions): Promise<UsageLog> {
  await makeFolder(folder, 0o700);
  const path = join(folder, 'usage.log');
  await recoverLog(path, usageForm(options.now, options.newId), options);
  const log = new UsageLog(path, options);
  await log.refresh();
  await takeOver(join(folder, 'usage.json'), log);
  return log;
}

/** The whole file of versions that knew one process for each folder. Whoever else takes it over writes the same line. */
async function takeOver(path: string, log: UsageLog): Promise<void> {
  const text = await readFile(path, 'utf8').catch(undefinedWhenMissing);
  if (text === undefined) return;
  await log.append({ writer: 'usage.json', number: 1, accounts: accountsIn(text) });
  await rm(path, { force: true });
}

function accountsIn(text: string): UsageAccount[] {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? readAccounts(value.accounts) : [];
  } catch {
    return [];
  }
}

interface ReadUsage {
  readonly tally: UsageTally;
  readonly end: number;
}

function usageForm(now: () => number, newId: () => string): LogForm<ReadUsage> {
  return {
    async read(handle, from) {
      const tally = new UsageTally();
      const { size } = await handle.stat();
      const end = await readLines(handle, from, size, (line) => {
        tally.take(line);
        return true;
      });
      return { tally, end };
    },
    anew: ({ tally }) => tally.anew(now(), newId()),
    lines: ({ tally }, known) =>
      tally.lines
        .filter((line) => !known?.tally.has(line))
        .map(lineText)
        .join(''),
  };
}

async function headOf(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  return buffer.toString('latin1', 0, bytesRead);
}
