import type { ChatSummary } from '../contract/chats.ts';
import type { ChatLog, Stamp } from './chat-log.ts';

/** What is remembered of every chat. */
export interface Indexed {
  readonly summary: ChatSummary;
  /** The file that it was made from. */
  readonly stamp: Stamp;
  /** SHA-256 of what its messages refer to. */
  readonly files: ReadonlySet<string>;
}

export function indexedChat(chatId: string, log: ChatLog): Indexed {
  const { stamp, tree, damagedLines, revision } = log;
  if (!stamp) throw new RangeError('a chat that was not read');
  const { updated, ...facts } = tree.facts();
  const created = log.created ?? updated ?? Math.round(stamp.modified);
  return {
    stamp,
    files: tree.files(),
    summary: { chatId, ...facts, created, updated: updated ?? created, bytes: stamp.size, revision, damagedLines },
  };
}
