import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stamp } from './chat-log.ts';

/** About a millisecond of work; then others have their turn. */
const atOnce = 200;

/** The plain files of a folder as they are now; none where there is no folder. */
export async function* fileStamps(folder: string): AsyncGenerator<{ readonly name: string; readonly stamp: Stamp }> {
  const names = await namesIn(folder);
  for (const [index, name] of names.entries()) {
    if (index % atOnce === atOnce - 1) await new Promise((resolve) => setImmediate(resolve));
    const found = statSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
    if (!found?.isFile()) continue;
    const { ino: inode, size, mtimeMs, ctimeNs: changed } = found;
    yield { name, stamp: { inode, size: Number(size), modified: Number(mtimeMs), changed } };
  }
}

export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
