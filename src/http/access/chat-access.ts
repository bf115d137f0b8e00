import type { Caller } from '../../contract/caller.ts';
import type { ChatStore } from '../../contract/chats.ts';
import { ServeError } from '../../contract/errors.ts';
import type { AppDependencies } from '../dependencies.ts';

type Kept = Pick<AppDependencies, 'chatStore' | 'noChatStore' | 'keyring'>;

/**
 * The chats that this caller has on the server, or one sentence that says why it has none. With keys whoever has one has
 * chats, from anywhere; without keys whoever is on this machine: all others would be one person, and that very one.
 */
export function chatsOf(
  { known, local, admin }: Caller,
  { chatStore, noChatStore, keyring }: Kept,
): ChatStore | string {
  if (!chatStore) return noChatStore ?? 'This server keeps no chats. Start it with --chat-store DIR to keep them.';
  if (keyring().hasKeys) return known ? chatStore : 'Chats are kept for those who have a key.';
  if (local || admin) return chatStore;
  return 'Without keys this server keeps chats for callers on its own machine only. Start it with --api-key to keep them for others too.';
}

/** The same, with `forbidden` for who has none. */
export function expectChats(caller: Caller, kept: Kept): ChatStore {
  const chats = chatsOf(caller, kept);
  if (typeof chats === 'string') throw new ServeError('forbidden', chats);
  return chats;
}
