import type { ChatStore, ChatStorePlace } from '../contract/chats.ts';
import type { Telemetry } from '../contract/services.ts';
import { unusableFolder } from '../files/unusable-folder.ts';
import { type ChatStoreOptions, chatLimits, openChatStore } from './chat-store.ts';

/** `--chat-store`. The store, or one sentence that says why there is none. */
export async function openChats(
  place: ChatStorePlace,
  { telemetry, ...means }: Omit<ChatStoreOptions, 'limits' | 'failed'> & { readonly telemetry: Pick<Telemetry, 'log'> },
): Promise<{ readonly chatStore?: ChatStore; readonly noChatStore?: string }> {
  if (!place.kept) return { noChatStore: 'This server keeps no chats: it was started with --chat-store off.' };
  const failed = (error: unknown) => telemetry.log('error', 'the chats could not be looked at', { error });
  const options = { ...means, limits: chatLimits, failed };
  try {
    return { chatStore: await openChatStore(place.folder, options) };
  } catch (error) {
    const problem = unusableFolder('--chat-store', place.folder, error);
    // Whoever only wants answers must get them on a machine where nothing can be written.
    if (place.asked) throw problem;
    telemetry.log('warn', `chats are not kept: ${problem.message}`);
    return {
      noChatStore: `This server keeps no chats: its folder for them cannot be used. Give it one with --chat-store DIR.`,
    };
  }
}
