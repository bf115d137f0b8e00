import type { Caller } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import { givenKey, type Keyring } from './keyring.ts';

/**
 * Who may call a route. `open`: everybody. `key`: holders of an API key. `tools`: those of them for whom the server runs
 * tools, see mayRunTools. `admin`: whoever may change the server.
 */
export type Access = 'open' | 'key' | 'tools' | 'admin';

/** Whether the caller may use a route of this access. */
export function mayUse(access: Access, { manages, known }: Pick<Caller, 'manages' | 'known'>): boolean {
  return access === 'open' || manages || (access !== 'admin' && known);
}

/** Throws `unauthorized` or `forbidden` unless the caller may use a route of this access. */
export function checkAccess(access: Access, caller: Caller, headers: Headers, keyring: Keyring): void {
  if (mayUse(access, caller)) return;
  if (!keyring.hasKeys && !keyring.hasAdmin)
    throw new ServeError(
      'forbidden',
      'Without an admin token or API key, only this machine may change the server. Set SERVE_MODEL_ADMIN_TOKEN or --api-key.',
    );
  if (caller.known && keyring.hasKeys) throw new ServeError('forbidden', noRight(keyring));
  throw new ServeError('unauthorized', refusal(access, givenKey(headers)));
}

function noRight({ hasAdmin }: Keyring): string {
  return hasAdmin
    ? 'Only the admin token, or a key that is marked admin, may do this. The key in the request is neither.'
    : 'No key of this server is marked admin, so only callers on this machine may do this. Set SERVE_MODEL_ADMIN_TOKEN, or write admin behind a key in the --api-key-file.';
}

function refusal(access: Access, given: string | undefined): string {
  const what = access === 'admin' ? 'admin token' : 'API key';
  if (given === undefined)
    return `This server asks for an ${what}: send it as "Authorization: Bearer ..." or x-api-key.`;
  return `The ${what} in the request is not one of this server's.`;
}

const loopback = /^(127\.|::1$|::ffff:127\.)/;

/** The part of the adapter's bindings that is looked at. */
interface SocketBindings {
  readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
}

/**
 * Whether the request comes from this machine itself. One that a proxy passed on does not, however near the proxy is;
 * one without a socket cannot tell, so it does not either.
 */
export function isLocalCaller(headers: Headers, bindings: SocketBindings | undefined): boolean {
  if (headers.has('x-forwarded-for') || headers.has('forwarded')) return false;
  return loopback.test(bindings?.incoming?.socket.remoteAddress ?? '');
}
