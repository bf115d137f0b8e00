import { createHash } from 'node:crypto';
import type { Caller } from '../../contract/caller.ts';
import type { GenerationRequest } from '../../contract/request.ts';
import { defined } from '../../dialects/shared/defined.ts';
import type { Keyring } from '../access/keyring.ts';
import type { AppDependencies, DoorSettings } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { sessionKey } from '../headers.ts';

/** With everything that hangs on who asks. */
export function owned(
  request: GenerationRequest,
  exchange: Exchange,
  { settings, keyring }: Pick<AppDependencies, 'settings' | 'keyring'>,
): GenerationRequest {
  const { caller, answerId } = exchange;
  const sessionId = sessionOf(request, exchange);
  const cacheScope = cacheScopeOf(caller, request.cacheSalt, settings, keyring());
  return {
    ...request,
    keys: defined({ ...request.keys, owner: caller.owner || undefined, answerId, sessionId }),
    ...(cacheScope !== undefined && { cacheScope }),
  };
}

export function sessionOf(
  request: GenerationRequest | undefined,
  { request: { headers } }: Exchange,
): string | undefined {
  return request?.keys.sessionId ?? sessionKey(headers);
}

/**
 * Whose evaluated prompts a request may use, and who may use its own: an opaque word, the same for the same owner and
 * salt. Undefined: everybody's.
 */
function cacheScopeOf(
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
