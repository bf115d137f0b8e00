import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { type LockOptions, underLock } from './file-lock.ts';
import { undefinedWhenMissing } from './missing.ts';
import { writeWhole } from './write-whole.ts';

/** What stands in the lines of a log, as its room reads them. */
export interface LogForm<Reading> {
  /** The whole lines from a place of the file on. */
  read(handle: FileHandle, from: number): Promise<Reading & { readonly end: number }>;
  /** A file that says the same in fewer lines; undefined: it must stay as it is. */
  anew(reading: Reading): string | undefined;
  /** The lines of a reading that another one does not know, each with its line break; '' where there are none. */
  lines(reading: Reading, known?: Reading): string;
}

export function lockOf(path: string): string {
  return `${path}.lock`;
}

export const beforeEnding = '.before';

function beforeOf(path: string): string {
  return path + beforeEnding;
}

/**
 * Writes a log anew without what does not count any more. False: another process is at it, or it cannot be done.
 *
 * Others may append meanwhile. What they wrote into the old file before it was replaced is copied after the new one; who
 * writes into it after that sees that the path leads elsewhere and writes again. Should this process be killed in
 * between, the old file still lies there as `.before`, and the next one to come copies what is missing.
 */
export async function compactLog<Reading>(
  path: string,
  form: LogForm<Reading>,
  options: LockOptions,
): Promise<boolean> {
  const done = await underLock(lockOf(path), options, async () => {
    await finishInterrupted(path, form);
    return rewrite(path, `${path}.${options.newId()}.part`, form);
  });
  return done ?? false;
}

/** Brings back what a process that was killed while it compacted had not copied yet. */
export async function recoverLog<Reading>(path: string, form: LogForm<Reading>, options: LockOptions): Promise<void> {
  await underLock(lockOf(path), options, () => finishInterrupted(path, form));
}

async function rewrite<Reading>(path: string, beside: string, form: LogForm<Reading>): Promise<boolean> {
  const old = await open(path, 'r').catch(undefinedWhenMissing);
  if (!old) return false;
  try {
    const log = await form.read(old, 0);
    const text = form.anew(log);
    if (text === undefined) return false;
    // For appending: once it lies at the path, others write after it too, and a place of our own would be theirs by now.
    const fresh = await open(beside, 'ax', 0o600);
    try {
      await writeWhole(fresh, text);
      if (!(await isFile(path, old)) || !(await linked(path, beforeOf(path)))) return false;
      await rename(beside, path);
      // By its handle: the file may have been moved away by now.
      await appendLines(fresh, form.lines(await form.read(old, log.end)));
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

/** Whether the path still leads to this file. */
async function isFile(path: string, handle: FileHandle): Promise<boolean> {
  const there = await stat(path, { bigint: true }).catch(undefinedWhenMissing);
  return there?.ino === (await handle.stat({ bigint: true })).ino;
}

/** False where the file system has no links: logs are not compacted there. */
async function linked(path: string, other: string): Promise<boolean> {
  return link(path, other).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOENT'].includes(error.code ?? '')) return false;
      throw error;
    },
  );
}

async function finishInterrupted<Reading>(path: string, form: LogForm<Reading>): Promise<void> {
  const before = await open(beforeOf(path), 'r').catch(undefinedWhenMissing);
  if (!before) return;
  try {
    const current = await open(path, constants.O_RDWR | constants.O_APPEND).catch(undefinedWhenMissing);
    if (current && !(await isFile(beforeOf(path), current))) {
      await appendLines(current, form.lines(await form.read(before, 0), await form.read(current, 0)));
    }
    await current?.close();
    await rm(beforeOf(path), { force: true });
  } finally {
    await before.close();
  }
}

/** After a line break, so that they never continue a line that a killed process left torn. */
async function appendLines(handle: FileHandle, lines: string): Promise<void> {
  if (lines !== '') await writeWhole(handle, `\n${lines}`);
}
