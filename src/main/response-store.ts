import type { ResponseStore } from '../contract/services.ts';
import { folderShelf } from '../response-store/folder-shelf.ts';
import { memoryShelf } from '../response-store/memory-shelf.ts';
import { folderLimits, memoryLimits, openResponseStore } from '../response-store/response-store.ts';
import { unusableFolder } from './unusable-folder.ts';

/** `--response-store`: `memory`, a folder, or nothing. */
export async function openConfiguredStore(
  where: string | undefined,
  now: () => number,
): Promise<ResponseStore | undefined> {
  if (where === undefined) return undefined;
  if (where === 'memory') return openResponseStore(memoryShelf(), { limits: memoryLimits, now });
  try {
    return await openResponseStore(await folderShelf(where), { limits: folderLimits, now });
  } catch (error) {
    throw unusableFolder('--response-store', where, error);
  }
}
