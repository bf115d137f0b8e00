import { join } from 'node:path';
import type { ResponseStore, Telemetry, UsageLedger } from '../contract/services.ts';
import { folderShelf } from '../responses/folder-shelf.ts';
import { memoryShelf } from '../responses/memory-shelf.ts';
import { folderLimits, memoryLimits, openResponseStore } from '../responses/response-store.ts';
import { createUsageLedger } from '../usage/usage-ledger.ts';
import { openUsageLog } from '../usage/usage-log.ts';
import type { System } from './system.ts';
import { unusableFolder } from './unusable-folder.ts';

export interface KeptThings {
  /** Undefined: answers are not kept. */
  readonly responses: ResponseStore | undefined;
  readonly usage: UsageLedger;
}

/** `--response-store`: `memory`, a folder, or nothing. What each key has used lies beside it, else in memory. */
export async function openConfiguredStore(
  where: string | undefined,
  { unixMilliseconds: now, timers, newId }: System,
  telemetry: Telemetry,
): Promise<KeptThings> {
  const failed = (error: unknown) => telemetry.log('error', 'what the keys have used could not be written', { error });
  const ledger = { now, timers, newId, failed };
  if (where === undefined || where === 'memory')
    return {
      responses: where && (await openResponseStore(memoryShelf(), { limits: memoryLimits, now })),
      usage: createUsageLedger(undefined, ledger),
    };
  try {
    return {
      responses: await openResponseStore(await folderShelf(where), { limits: folderLimits, now }),
      usage: createUsageLedger(await openUsageLog(join(where, 'usage'), { now, newId }), ledger),
    };
  } catch (error) {
    throw unusableFolder('--response-store', where, error);
  }
}
