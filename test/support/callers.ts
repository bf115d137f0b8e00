import type { Caller } from '../../src/contract/caller.ts';

/** Whoever sees only what is its own. Without a name: everybody, on a server without keys. */
export function person(owner = ''): Pick<Caller, 'owner' | 'sees'> {
  return { owner, sees: (other) => other === owner };
}

/** Whoever sees everything. */
export const chief: Pick<Caller, 'owner' | 'sees'> = { owner: 'admin', sees: () => true };
