import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { lstat, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../files/make-folder.ts';

const portFile = z.object({
  /** Of the server. */
  pid: z.int().positive(),
  /** That other programs on this machine can reach. */
  url: z.string(),
  /** Its ids when it had loaded what it was started with; empty until then. */
  models: z.array(z.string()),
  /** ISO 8601. */
  started: z.iso.datetime(),
});

/**
 * How a server tells the other programs of its user that it is there: a file for each server, named by its process, so
 * that no two write the same one. There is no key in it.
 */
export type PortFile = Readonly<z.output<typeof portFile>>;

export interface PublishedPortFile {
  /** Puts other models into it. */
  update(models: readonly string[]): Promise<void>;
  /** At the end of the process, when nothing can be waited for any more. */
  removeNow(): void;
}

/** What is asked of the machine. */
export interface Machine {
  readonly isAlive: (pid: number) => boolean;
  /** Of the user whose files these are; undefined on Windows, whose folders are the user's own already. */
  readonly userId: number | undefined;
}

export const thisMachine: Machine = {
  isAlive(pid) {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      // It lives, and is somebody else's.
      return error instanceof Error && 'code' in error && error.code === 'EPERM';
    }
  },
  userId: process.getuid?.(),
};

/** Undefined where the folder cannot be written or is not this user's alone: a server runs without being found, too. */
export async function publishPortFile(
  folder: string,
  facts: PortFile,
  machine: Machine = thisMachine,
): Promise<PublishedPortFile | undefined> {
  const path = pathOf(folder, facts.pid);
  const write = async (models: readonly string[]) => {
    const unfinished = `${path}.${randomBytes(4).toString('hex')}`;
    await writeFile(unfinished, `${JSON.stringify({ ...facts, models })}\n`, { mode: 0o600, flag: 'wx' });
    await rename(unfinished, path);
  };
  try {
    await makeFolder(folder, 0o700);
    if (!(await isOwn(folder, machine))) return undefined;
    await removeStale(folder, facts, machine);
    await write(facts.models);
  } catch {
    return undefined;
  }
  return {
    update: (models) => write(models).catch(() => undefined),
    removeNow: () => {
      try {
        unlinkSync(path);
      } catch {
        // Whoever cleans up that folder was quicker.
      }
    },
  };
}

/** Of the servers that live, the latest first. */
export async function readPortFiles(folder: string, machine: Machine = thisMachine): Promise<PortFile[]> {
  // Whoever can write there could have keys sent to an address of theirs.
  if (!(await isOwn(folder, machine))) return [];
  const files = await everyPortFile(folder);
  return files.filter(({ pid }) => machine.isAlive(pid)).sort((a, b) => (a.started < b.started ? 1 : -1));
}

async function everyPortFile(folder: string): Promise<PortFile[]> {
  const names = await readdir(folder).catch(() => []);
  const pids = names.flatMap((name) => (/^\d+\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
  const files = await Promise.all(pids.map((pid) => readPortFile(folder, pid)));
  return files.filter((file) => file !== undefined);
}

/** Undefined where it is gone by now, or is none. */
async function readPortFile(folder: string, pid: number): Promise<PortFile | undefined> {
  try {
    const { data } = portFile.safeParse(JSON.parse(await readFile(pathOf(folder, pid), 'utf8')));
    return data?.pid === pid ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Of servers that were killed: their process is gone, or their address is this one's now and the process another one. */
async function removeStale(folder: string, { pid, url }: PortFile, { isAlive }: Machine): Promise<void> {
  const stale = (await everyPortFile(folder)).filter((file) => !isAlive(file.pid) || file.url === url);
  const others = stale.filter((file) => file.pid !== pid);
  await Promise.all(others.map((file) => unlink(pathOf(folder, file.pid)).catch(() => undefined)));
}

/** A folder, no link to one, that nobody but this user can write to. */
async function isOwn(folder: string, { userId }: Machine): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  return userId === undefined || (found.uid === userId && (found.mode & 0o022) === 0);
}

function pathOf(folder: string, pid: number): string {
  return join(folder, `${pid}.json`);
}
