import type { Caller } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import type { Keyring } from './keyring.ts';

/**
 * Whether what is kept for this caller is its own: with keys each has its owner. Without keys those on this machine are
 * one person, and all others would be that very one.
 */
export function hasOwnThings({ known, local, admin }: Caller, { hasKeys }: Pick<Keyring, 'hasKeys'>): boolean {
  return hasKeys ? known : local || admin;
}

/** `forbidden` for who has none. `what` begins the sentence, in the plural. */
export function expectOwnThings(caller: Caller, keyring: Pick<Keyring, 'hasKeys'>, what: string): void {
  if (hasOwnThings(caller, keyring)) return;
  throw new ServeError(
    'forbidden',
    `${what} are kept for callers on the server's own machine only, as long as it has no keys. Start it with --api-key to keep them for others too.`,
  );
}
