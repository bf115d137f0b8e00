import type { Telemetry } from '../contract/services.ts';
import type { Engine } from '../engine/engine.ts';
import { unusableFolder } from '../files/unusable-folder.ts';
import type { SchedulerObserver } from './admission.ts';
import { openPrefixFiles, type PrefixFiles } from './prefix-files.ts';

interface KeptPrefixesOptions {
  /** Of --prefix-cache-dir. */
  readonly folder: string | undefined;
  readonly telemetry: Telemetry;
  readonly observer: Partial<SchedulerObserver>;
  /** Bytes that the files of this model may take. */
  readonly budget: number;
}

/** What --prefix-cache-dir holds for this model. Undefined without that flag, or where state cannot be kept in files. */
export async function openKeptPrefixes(
  { snapshots }: Engine,
  { folder, telemetry, observer, budget }: KeptPrefixesOptions,
): Promise<PrefixFiles | undefined> {
  if (folder === undefined || budget === 0) return undefined;
  const files = snapshots?.files;
  if (!files) {
    telemetry.log('info', 'the state of this model cannot be kept in files: --prefix-cache-dir is not used');
    return undefined;
  }
  try {
    const kept = await openPrefixFiles({ folder, files, budget, observer });
    telemetry.log('info', `prefixes found in ${folder}: ${kept.list().length}`);
    return kept;
  } catch (error) {
    throw unusableFolder('--prefix-cache-dir', folder, error);
  }
}
