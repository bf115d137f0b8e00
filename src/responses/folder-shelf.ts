import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';
import { undefinedWhenMissing } from '../files/missing.ts';
import type { Shelf, ShelfEntry } from './shelf.ts';

const ending = '.json';
const unfinished = '.part';
const headBytes = 1024;

/**
 * One file per text. Plain files instead of a database: an entry is written once, read whole and found by its name, which
 * is all that a file system does, and people can look at them with any editor. A text is written beside its place,
 * flushed and then renamed, so a crash leaves the old file, the new one or a `.part` that the next start removes.
 */
export async function folderShelf(folder: string): Promise<Shelf> {
  await makeFolder(folder, 0o700);
  const pathOf = (name: string) => join(folder, name + ending);
  return {
    list: () => listFolder(folder),
    read: (name) => readFile(pathOf(name), 'utf8').catch(undefinedWhenMissing),
    write: async (name, text) => {
      const beside = join(folder, name + unfinished);
      const file = await open(beside, 'w', 0o600);
      try {
        await file.writeFile(text, 'utf8');
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, pathOf(name));
    },
    remove: (name) => rm(pathOf(name), { force: true }),
  };
}

async function listFolder(folder: string): Promise<ShelfEntry[]> {
  const names = await readdir(folder);
  for (const name of names.filter((file) => file.endsWith(unfinished))) await rm(join(folder, name), { force: true });
  const entries: ShelfEntry[] = [];
  for (const file of names.filter((name) => name.endsWith(ending))) {
    entries.push({ name: file.slice(0, -ending.length), ...(await lookAt(join(folder, file))) });
  }
  return entries;
}

/** Its beginning alone: a folder may hold a gigabyte. */
async function lookAt(path: string): Promise<Omit<ShelfEntry, 'name'>> {
  const file = await open(path, 'r');
  try {
    const { size, mtimeMs } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return { bytes: size, savedAt: mtimeMs, head: buffer.toString('utf8', 0, bytesRead) };
  } finally {
    await file.close();
  }
}
