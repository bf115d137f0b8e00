import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * The folder and those above it that are missing. Step by step, because Node's own `recursive` never ends where the system
 * says that a folder is missing which is there, as /proc does (Node.js 20 to 24).
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(folder); !(await isFolder(at)); at = dirname(at)) missing.unshift(at);
  for (const each of missing) await mkdir(each, mode).catch(unlessThere);
}

/** Throws where something else has the name. */
async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found || found.isDirectory()) return found !== undefined;
  throw new Error(`${path} is no folder`);
}

/** Somebody else was quicker. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
