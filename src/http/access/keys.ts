import { createHash, timingSafeEqual } from 'node:crypto';
import { ServeError } from '../../contract/errors.ts';

/** Who may call a route. `open`: everybody. `key`: holders of an API key. `admin`: whoever may change the server. */
export type Access = 'open' | 'key' | 'admin';

export interface Keyring {
  readonly apiKeys: readonly string[];
  readonly adminToken: string | undefined;
}

interface Caller {
  readonly headers: Headers;
  /** The request came from this machine. */
  readonly local: boolean;
}

/** Throws `unauthorized` or `forbidden` unless the caller may use a route of this access. */
export function checkKey(access: Access, { headers, local }: Caller, keyring: Keyring): void {
  if (access === 'open') return;
  const accepted = access === 'admin' && keyring.adminToken !== undefined ? [keyring.adminToken] : keyring.apiKeys;
  if (accepted.length === 0) {
    if (access === 'key' || local) return;
    throw new ServeError(
      'forbidden',
      'Without an admin token or API key, only this machine may change the server. Set SERVE_MODEL_ADMIN_TOKEN or --api-key.',
    );
  }
  const given = givenKey(headers);
  if (given !== undefined && isOneOf(given, accepted)) return;
  throw new ServeError('unauthorized', refusal(access, given));
}

/** The key as OpenAI's clients send it (bearer) or as Anthropic's do (x-api-key). */
export function givenKey(headers: Headers): string | undefined {
  const bearer = /^bearer\s+(\S.*)$/i.exec(headers.get('authorization') ?? '')?.[1]?.trim();
  return bearer ?? headers.get('x-api-key') ?? undefined;
}

/** Whose limits a request counts against: its key where the server has keys, else one account for everybody. */
export function keyOwner(headers: Headers, apiKeys: readonly string[]): string {
  return apiKeys.length === 0 ? '' : (givenKey(headers) ?? '');
}

/** Takes the same time whichever key fits, or none: hashes have one length, and all of them are compared. */
export function isOneOf(given: string, accepted: readonly string[]): boolean {
  const hash = digest(given);
  return accepted.map((key) => timingSafeEqual(digest(key), hash)).includes(true);
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function refusal(access: Access, given: string | undefined): string {
  const what = access === 'admin' ? 'admin token' : 'API key';
  if (given === undefined)
    return `This server asks for an ${what}: send it as "Authorization: Bearer ..." or x-api-key.`;
  return `The ${what} in the request is not one of this server's.`;
}
