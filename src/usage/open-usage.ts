import { join } from 'node:path';
import type { UsageLedger } from '../contract/services.ts';
import { unusableFolder } from '../files/unusable-folder.ts';
import { createUsageLedger, type LedgerOptions } from './usage-ledger.ts';
import { openUsageLog } from './usage-log.ts';

/** What each key has used: beside the answers in the folder of `--response-store`, else in memory. */
export async function openUsage(where: string | undefined, options: LedgerOptions): Promise<UsageLedger> {
  if (where === undefined || where === 'memory') return createUsageLedger(undefined, options);
  try {
    return createUsageLedger(await openUsageLog(join(where, 'usage'), options), options);
  } catch (error) {
    throw unusableFolder('--response-store', where, error);
  }
}
