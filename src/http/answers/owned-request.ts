import type { GenerationRequest } from '../../contract/request.ts';
import { defined } from '../../dialects/shared/defined.ts';
import { cacheScopeOf } from '../access/cache-scope.ts';
import type { AppDependencies } from '../dependencies.ts';
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
