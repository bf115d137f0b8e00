import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChatSummary } from '../contract/chats.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { falseWhenMissing, undefinedWhenMissing } from '../files/missing.ts';
import { readLines } from '../files/read-lines.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { Indexed } from './indexed-chat.ts';

const fileName = '.summaries';
/** Goes up when the same log comes to another summary, or to one with other members. */
const header = JSON.stringify({ format: 'serve-model.summaries', version: 1 });
const mostBytes = 64 * 1024 * 1024;
const unfinished = '.part';
/** Written in milliseconds: what is older is of a process that was killed. */
const abandonedMs = 60_000;

export interface SummaryFileOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Random hex. */
  readonly newId: () => string;
}

/** Whether a file of the owner's folder is this one, or one on the way to it. */
export function isSummaryFile(name: string): boolean {
  return name.startsWith(fileName);
}

/**
 * What this and other processes knew of the chats, by the names of their files: nothing in it counts but for a file that
 * still has the very stamp that stands beside it. So a line that is torn, foreign or old costs a look into a log, and of
 * several processes that write it the last one may win.
 */
export class SummaryFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #options: SummaryFileOptions;

  constructor(folder: string, options: SummaryFileOptions) {
    this.#folder = folder;
    this.#path = join(folder, fileName);
    this.#options = options;
  }

  /** Nothing where there is none, or one of another version. */
  async load(): Promise<Map<string, Indexed>> {
    const known = new Map<string, Indexed>();
    const handle = await open(this.#path, 'r').catch(undefinedWhenMissing);
    if (!handle) return known;
    try {
      const { size } = await handle.stat();
      if (size > mostBytes) return known;
      await readLines(handle, 0, size, (line, at) => {
        if (at === 0) return line === header;
        const read = readSummary(line);
        if (read) known.set(...read);
        return true;
      });
    } finally {
      await handle.close();
    }
    return known;
  }

  /** Beside its place, and into it whole. False: the folder is gone. */
  async save(known: ReadonlyMap<string, Indexed>): Promise<boolean> {
    const beside = `${this.#path}.${this.#options.newId()}${unfinished}`;
    const handle = await open(beside, 'wx', 0o600).catch(undefinedWhenMissing);
    if (!handle) return false;
    try {
      await writeWhole(handle, [header, ...[...known].filter(isSettled).map(summaryLine), ''].join('\n')).finally(() =>
        handle.close(),
      );
      return await rename(beside, this.#path).then(() => true, falseWhenMissing);
    } finally {
      await rm(beside, { force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  /** Of the names in the folder, what killed processes left of this file. */
  async removeAbandoned(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (!isSummaryFile(name) || !name.endsWith(unfinished)) continue;
      const path = join(this.#folder, name);
      const found = await stat(path).catch(undefinedWhenMissing);
      if (found && this.#options.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true });
    }
  }
}

/** A tail that has no line break yet says something else as time goes by. */
function isSettled([, { stamp, summary }]: [string, Indexed]): boolean {
  return summary.revision.endsWith(`-${stamp.size}`);
}

function summaryLine([name, { stamp, summary, files }]: [string, Indexed]): string {
  const { inode, size, modified, changed } = stamp;
  const at = { inode: String(inode), size, modified, changed: String(changed) };
  return JSON.stringify({ name, at, summary, files: [...files] });
}

function readSummary(line: string): [string, Indexed] | undefined {
  const value = parsed(line);
  if (!isJsonObject(value)) return undefined;
  const { name, files } = value;
  const stamp = stampOf(value.at);
  const summary = summaryOf(value.summary);
  if (typeof name !== 'string' || !stamp || !summary || !isTextList(files)) return undefined;
  return [name, { stamp, summary, files: new Set(files) }];
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function stampOf(value: JsonValue | undefined): Indexed['stamp'] | undefined {
  if (!isJsonObject(value)) return undefined;
  const { inode, size, modified, changed } = value;
  if (!isDigits(inode) || !isNumber(size) || !isNumber(modified) || !isDigits(changed)) return undefined;
  return { inode: BigInt(inode), size, modified, changed: BigInt(changed) };
}

function summaryOf(value: JsonValue | undefined): ChatSummary | undefined {
  if (!isJsonObject(value)) return undefined;
  const { chatId, title, preview, pinned, head, revision } = value;
  const counts = countsOf(value);
  if (typeof chatId !== 'string' || typeof revision !== 'string' || typeof pinned !== 'boolean') return undefined;
  if (!isTextOrNull(title) || !isTextOrNull(preview) || !isTextOrNull(head) || !counts) return undefined;
  return { chatId, title, preview, pinned, head, revision, ...counts };
}

function countsOf({ created, updated, messages, bytes, damagedLines }: JsonObject) {
  if (!isNumber(created) || !isNumber(updated) || !isNumber(messages)) return undefined;
  if (!isNumber(bytes) || !isNumber(damagedLines)) return undefined;
  return { created, updated, messages, bytes, damagedLines };
}

function isDigits(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}

function isNumber(value: JsonValue | undefined): value is number {
  return typeof value === 'number';
}

function isTextOrNull(value: JsonValue | undefined): value is string | null {
  return value === null || typeof value === 'string';
}

function isTextList(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
