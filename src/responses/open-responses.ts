import type { ResponseStore } from '../contract/services.ts';
import { unusableFolder } from '../files/unusable-folder.ts';
import { folderShelf } from './folder-shelf.ts';
import { folderLimits, memoryLimits, openResponseStore, type StoreOptions } from './response-store.ts';
import { memoryShelf } from './shelf.ts';

/** `--response-store`: `memory` or a folder; undefined: answers are not kept. */
export async function openResponses(
  where: string | undefined,
  { now }: Pick<StoreOptions, 'now'>,
): Promise<ResponseStore | undefined> {
  if (where === undefined) return undefined;
  if (where === 'memory') return openResponseStore(memoryShelf(), { limits: memoryLimits, now });
  try {
    return await openResponseStore(await folderShelf(where), { limits: folderLimits, now });
  } catch (error) {
    throw unusableFolder('--response-store', where, error);
  }
}
