import type { Caller } from '../../contract/caller.ts';
import type { ChatStore } from '../../contract/chats.ts';
import { ServeError } from '../../contract/errors.ts';
import type { AppDependencies } from '../dependencies.ts';
import { hasOwnThings } from './own-things.ts';

type Kept = Pick<AppDependencies, 'chatStore' | 'noChatStore' | 'keyring'>;

/**
 * The chats that this caller has on the server, or one sentence that says why it has none.
 */
export function chatsOf(caller: Caller, { chatStore, noChatStore, keyring }: Kept): ChatStore | string {
  if (!chatStore) return noChatStore ?? 'This server keeps no chats. Start it with --chat-store DIR to keep them.';
  if (hasOwnThings(caller, keyring())) return chatStore;
  if (keyring().hasKeys) return 'Chats are kept for those who have a key.';
  return 'Without keys this server keeps chats for callers on its own machine only. Start it with --api-key to keep them for others too.';
}

/** The same, with `forbidden` for who has none. */
export function expectChats(caller: Caller, kept: Kept): ChatStore {
  const chats = chatsOf(caller, kept);
  if (typeof chats === 'string') throw new ServeError('forbidden', chats);
  return chats;
}
