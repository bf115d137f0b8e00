import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';

const mostLines = 1000;
/** When it is shortened. */
const mostBytes = 1_000_000;

/** The lines of earlier chats, the oldest first. None where there is no file, or none that can be read. */
export async function readHistory(path: string): Promise<string[]> {
  try {
    const lines = (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .slice(-mostLines);
    if ((await stat(path)).size > mostBytes) await writeFile(path, lines.map((line) => `${line}\n`).join(''));
    return lines;
  } catch {
    return [];
  }
}

/** Readable by its owner only. Where it cannot be written the chat goes on without. */
export async function addToHistory(path: string, line: string): Promise<void> {
  try {
    await makeFolder(dirname(path), 0o700);
    await appendFile(path, `${line.replaceAll('\n', ' ')}\n`, { mode: 0o600 });
  } catch {
    // A history is worth no complaint.
  }
}
