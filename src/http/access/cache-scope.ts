import { createHash } from 'node:crypto';
import type { Caller } from '../../contract/caller.ts';
import type { DoorSettings } from '../dependencies.ts';
import type { Keyring } from './keyring.ts';

/**
 * Whose evaluated prompts a request may use, and who may use its own: an opaque word, the same for the same owner and
 * salt. Undefined: everybody's.
 */
export function cacheScopeOf(
  { owner }: Pick<Caller, 'owner'>,
  salt: string | undefined,
  { cacheScope }: Pick<DoorSettings, 'cacheScope'>,
  { isShared }: Pick<Keyring, 'isShared'>,
): string | undefined {
  const isPerKey = cacheScope === undefined ? isShared : cacheScope === 'key';
  const parts = [isPerKey ? owner : '', salt ?? ''];
  if (parts.every((part) => part === '')) return undefined;
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
