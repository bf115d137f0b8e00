import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import type { ChatEntry } from '../contract/chats.ts';
import { undefinedWhenMissing } from '../files/missing.ts';
import { type LockOptions, underLock } from './file-lock.ts';
import { liveEntries } from './live-entries.ts';
import { entryLine, headerLine, type LogHeader, readEntry, readHeader } from './log-lines.ts';
import { readLines } from './read-lines.ts';
import { writeWhole } from './write-whole.ts';

/** What is read and written at once, in memory. */
const mostBytes = 64 * 1024 * 1024;

export function lockOf(path: string): string {
  return `${path}.lock`;
}

export const beforeEnding = '.before';

function beforeOf(path: string): string {
  return path + beforeEnding;
}

/**
 * Writes a chat's file anew without what does not count any more. False: another process is at it, or it cannot be done.
 *
 * Others may append meanwhile. What they wrote into the old file before it was replaced is copied behind the new one; who
 * writes into it after that sees that the path leads elsewhere and writes again. Should this process be killed in
 * between, the old file still lies there as `.before`, and the next one to come copies what is missing.
 */
export async function compact(path: string, options: LockOptions): Promise<boolean> {
  const done = await underLock(lockOf(path), options, async () => {
    await finishInterrupted(path);
    return rewrite(path, `${path}.${options.newId()}.part`);
  });
  return done ?? false;
}

/** Brings back what a process that was killed while it compacted had not copied yet. */
export async function recover(path: string, options: LockOptions): Promise<void> {
  await underLock(lockOf(path), options, () => finishInterrupted(path));
}

async function rewrite(path: string, beside: string): Promise<boolean> {
  const old = await open(path, 'r').catch(undefinedWhenMissing);
  if (!old) return false;
  try {
    const log = await readLog(old, 0);
    if (!log.header || log.hasStrangers || log.end > mostBytes) return false;
    // For appending: once it lies at the path, others write behind it too, and a place of our own would be theirs by now.
    const fresh = await open(beside, 'ax', 0o600);
    try {
      await writeWhole(fresh, newText(log.header, log.entries));
      if (!(await isFile(path, old)) || !(await linked(path, beforeOf(path)))) return false;
      await rename(beside, path);
      const late = await readLog(old, log.end);
      // By its handle: the chat may lie in the bin by now.
      if (late.entries.length > 0) await writeWhole(fresh, `\n${late.entries.map(entryLine).join('')}`);
    } finally {
      await fresh.close();
    }
    await rm(beforeOf(path), { force: true });
    return true;
  } finally {
    await old.close();
    await rm(beside, { force: true });
  }
}

function newText(header: LogHeader, entries: readonly ChatEntry[]): string {
  const kept = new Set(liveEntries(entries));
  const gone = entries.filter((entry) => !kept.has(entry)).map(({ entry_id }) => entry_id);
  const head = { ...header, generation: header.generation + 1, gone: [...header.gone, ...gone] };
  return headerLine(head) + [...kept].map(entryLine).join('');
}

/** Whether the path still leads to this file. */
async function isFile(path: string, handle: FileHandle): Promise<boolean> {
  const there = await stat(path, { bigint: true }).catch(undefinedWhenMissing);
  return there?.ino === (await handle.stat({ bigint: true })).ino;
}

/** False where the file system has no links: chats are not compacted there. */
async function linked(path: string, other: string): Promise<boolean> {
  return link(path, other).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOENT'].includes(error.code ?? '')) return false;
      throw error;
    },
  );
}

async function finishInterrupted(path: string): Promise<void> {
  const before = await open(beforeOf(path), 'r').catch(undefinedWhenMissing);
  if (!before) return;
  try {
    const current = await open(path, constants.O_RDWR | constants.O_APPEND).catch(undefinedWhenMissing);
    if (current && !(await isFile(beforeOf(path), current))) await copyMissing(before, current);
    await current?.close();
    await rm(beforeOf(path), { force: true });
  } finally {
    await before.close();
  }
}

async function copyMissing(before: FileHandle, current: FileHandle): Promise<void> {
  const { header, entries } = await readLog(current, 0);
  const known = new Set([...(header?.gone ?? []), ...entries.map(({ entry_id }) => entry_id)]);
  const missing = (await readLog(before, 0)).entries.filter(({ entry_id }) => !known.has(entry_id));
  if (missing.length > 0) await writeWhole(current, `\n${missing.map(entryLine).join('')}`);
}

interface ReadLog {
  readonly header: LogHeader | undefined;
  readonly entries: readonly ChatEntry[];
  /** Behind the last whole line. */
  readonly end: number;
  /** Lines that are whole, but of a kind that this version does not know: they must not be lost. */
  readonly hasStrangers: boolean;
}

async function readLog(handle: FileHandle, from: number): Promise<ReadLog> {
  let header: LogHeader | undefined;
  let hasStrangers = false;
  const entries = new Map<string, ChatEntry>();
  const { size } = await handle.stat();
  const end = await readLines(handle, from, size, (line, at) => {
    if (at === 0) header = readHeader(line);
    const entry = readEntry(line);
    if (entry && !entries.has(entry.entry_id)) entries.set(entry.entry_id, entry);
    if (!entry && (at > 0 || !header) && isJson(line)) hasStrangers = true;
    return true;
  });
  return { header, entries: [...entries.values()], end, hasStrangers };
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
