import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey, Caller, KeyLimits } from '../../contract/caller.ts';

export interface KeyringOptions {
  readonly keys: readonly ApiKey[];
  /** Opens what a key opens, and what changes the server. */
  readonly adminToken: string | undefined;
}

/** Who holds which key. Keys are remembered as hashes only. */
export interface Keyring {
  /** Without keys everybody may use the server. */
  readonly hasKeys: boolean;
  /** Somebody is admin: a token is set, or a key is marked. */
  readonly hasAdmin: boolean;
  /** More than one person has a key. */
  readonly isShared: boolean;
  /** The names of all persons, the admin token's too. */
  readonly owners: readonly string[];
  identify(headers: Headers, local: boolean): Caller;
  limitsOf(owner: string): KeyLimits;
}

interface Holder {
  readonly hash: Buffer;
  readonly owner: string;
  readonly admin: boolean;
}

/** Of the holder of the admin token. Other keys of this name are admin keys, which the key file takes care of. */
const adminOwner = 'admin';

/**
 * Keys are people. Admin is whoever holds the admin token or a key marked `admin`. Where nobody does, one unnamed key
 * manages the server, as it always did; of several, or of a named one, only callers on this machine do.
 */
export function createKeyring({ keys, adminToken }: KeyringOptions): Keyring {
  const hasKeys = keys.length > 0;
  const tokenHolder =
    adminToken === undefined ? [] : [{ hash: digest(adminToken), owner: hasKeys ? adminOwner : '', admin: true }];
  const holders: readonly Holder[] = [...tokenHolder, ...keys.toSorted(namedFirst).map(toHolder)];
  const hasAdmin = holders.some(({ admin }) => admin);
  const persons = new Set(holders.map(({ owner }) => owner));
  const keyPersons = new Set(keys.map((key) => toHolder(key).owner));
  const limits = mergedLimits(keys);
  const oldRights = !hasAdmin && keys.length === 1 && keys[0]?.name === undefined;

  const holderOf = (given: string): Holder | undefined => {
    const hash = digest(given);
    // Takes the same time whichever key fits, or none: hashes have one length, and all of them are compared.
    return holders.filter((holder) => timingSafeEqual(holder.hash, hash))[0];
  };
  const callerOf = ({ owner, admin }: Pick<Holder, 'owner' | 'admin'>, local: boolean): Caller => ({
    owner,
    known: true,
    manages: admin || (!hasAdmin && (oldRights || local)),
    admin,
    local,
    sees: (other) => admin || other === owner || (other === '' && keyPersons.size === 1),
  });

  return {
    hasKeys,
    hasAdmin,
    isShared: persons.size > 1,
    owners: [...persons],
    limitsOf: (owner) => limits.get(owner) ?? {},
    identify(headers, local) {
      const given = givenKey(headers);
      const holder = given === undefined ? undefined : holderOf(given);
      if (holder) return callerOf(holder, local);
      if (hasKeys) return { owner: '', known: false, manages: false, admin: false, local, sees: () => false };
      return callerOf({ owner: '', admin: !hasAdmin && local }, local);
    },
  };
}

/** The key as OpenAI's clients send it (bearer) or as Anthropic's do (x-api-key). */
export function givenKey(headers: Headers): string | undefined {
  const bearer = /^bearer\s+(\S.*)$/i.exec(headers.get('authorization') ?? '')?.[1]?.trim();
  return bearer ?? headers.get('x-api-key') ?? undefined;
}

/** Takes the same time whether it fits or not. */
export function isToken(given: string | undefined, token: string): boolean {
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function toHolder({ key, name, admin }: ApiKey): Holder {
  const hash = digest(key);
  return { hash, owner: name ?? hash.toString('hex').slice(0, 8), admin };
}

/** A key that was given with and without a name is its person's. */
function namedFirst(one: ApiKey, other: ApiKey): number {
  return Number(one.name === undefined) - Number(other.name === undefined);
}

function mergedLimits(keys: readonly ApiKey[]): ReadonlyMap<string, KeyLimits> {
  const merged = new Map<string, KeyLimits>();
  for (const key of keys) {
    const { owner } = toHolder(key);
    merged.set(owner, { ...merged.get(owner), ...key.limits });
  }
  return merged;
}
