import type { FileHandle } from 'node:fs/promises';
import type { ChatEntry } from '../contract/chats.ts';
import { compactLog, type LogForm, recoverLog } from '../files/compact-log.ts';
import type { LockOptions } from '../files/file-lock.ts';
import { readLines } from '../files/read-lines.ts';
import { liveEntries } from './live-entries.ts';
import { entryLine, headerLine, type LogHeader, readEntry, readHeader } from './log-lines.ts';

/** What is read and written at once, in memory. */
const mostBytes = 64 * 1024 * 1024;

/** Writes a chat's file anew without what does not count any more. False: another process is at it, or it cannot be done. */
export function compact(path: string, options: LockOptions): Promise<boolean> {
  return compactLog(path, chatForm, options);
}

/** Brings back what a process that was killed while it compacted had not copied yet. */
export function recover(path: string, options: LockOptions): Promise<void> {
  return recoverLog(path, chatForm, options);
}

interface ReadLog {
  readonly header: LogHeader | undefined;
  readonly entries: readonly ChatEntry[];
  /** Behind the last whole line. */
  readonly end: number;
  /** Lines that are whole, but of a kind that this version does not know: they must not be lost. */
  readonly hasStrangers: boolean;
}

const chatForm: LogForm<ReadLog> = {
  read: readLog,
  anew: ({ header, entries, end, hasStrangers }) =>
    header && !hasStrangers && end <= mostBytes ? newText(header, entries) : undefined,
  lines({ entries }, known) {
    const ids = new Set([...(known?.header?.gone ?? []), ...(known?.entries ?? []).map(({ entry_id }) => entry_id)]);
    return entries
      .filter(({ entry_id }) => !ids.has(entry_id))
      .map(entryLine)
      .join('');
  },
};

function newText(header: LogHeader, entries: readonly ChatEntry[]): string {
  const kept = new Set(liveEntries(entries));
  const gone = entries.filter((entry) => !kept.has(entry)).map(({ entry_id }) => entry_id);
  const head = { ...header, generation: header.generation + 1, gone: [...header.gone, ...gone] };
  return headerLine(head) + [...kept].map(entryLine).join('');
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
