import type { ResponseStore } from '../contract/services.ts';
import { folderShelf } from '../response-store/folder-shelf.ts';
import { memoryShelf } from '../response-store/memory-shelf.ts';
import { openResponseStore } from '../response-store/response-store.ts';

/** `--response-store`: `memory`, a folder, or nothing. */
export async function openConfiguredStore(
  where: string | undefined,
  now: () => number,
): Promise<ResponseStore | undefined> {
  if (where === undefined) return undefined;
  return openResponseStore(where === 'memory' ? memoryShelf() : await folderShelf(where), { now });
}
