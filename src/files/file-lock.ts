import { link, open, rename, rm, stat } from 'node:fs/promises';
import { falseWhenMissing, undefinedWhenMissing } from './missing.ts';

/** Whoever holds a lock for longer is dead: what it is taken for is a matter of milliseconds. */
const staleMs = 60_000;

export interface LockOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Random hex. */
  readonly newId: () => string;
}

/** Does it while no other process does something under this lock. Undefined: another one is at it, and it was not done. */
export async function underLock<Result>(
  lock: string,
  options: LockOptions,
  act: () => Promise<Result>,
): Promise<Result | undefined> {
  if (!(await take(lock, options))) return undefined;
  try {
    return await act();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string, options: LockOptions): Promise<boolean> {
  if (await create(lock)) return true;
  const found = await stat(lock).catch(undefinedWhenMissing);
  const isStale = found !== undefined && options.now() - found.mtimeMs > staleMs;
  return isStale && (await putAside(lock, options)) && create(lock);
}

async function create(lock: string): Promise<boolean> {
  const handle = await open(lock, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  await handle?.close();
  return handle !== undefined;
}

/** Two may find the same lock stale. The second one then holds the lock that the first one took since, and gives it back. */
async function putAside(lock: string, { now, newId }: LockOptions): Promise<boolean> {
  const aside = `${lock}.${newId()}`;
  if (!(await rename(lock, aside).then(() => true, falseWhenMissing))) return false;
  const { mtimeMs } = await stat(aside);
  const wasStale = now() - mtimeMs > staleMs;
  if (!wasStale) await link(aside, lock).catch(() => undefined);
  await rm(aside, { force: true });
  return wasStale;
}
