import { chmod, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';
import { undefinedWhenMissing } from '../files/missing.ts';
import type { AgentFile } from './agent.ts';

/** Into the agent's folder, readable by their owner only: one of them holds the key. */
export async function writeFiles(folder: string, files: readonly AgentFile[]): Promise<void> {
  await makeFolder(folder, 0o700);
  for (const { path, text, keep } of files) {
    const target = join(folder, path);
    if (keep && (await stat(target).catch(undefinedWhenMissing))) continue;
    await makeFolder(dirname(target), 0o700);
    await writeFile(target, text, { mode: 0o600 });
    await chmod(target, 0o600);
  }
}
