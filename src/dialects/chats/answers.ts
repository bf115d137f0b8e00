import { z } from 'zod';
import type { Appended, ChatChange, ChatList, ChatPart, ChatSummary, FoundChat } from '../../contract/chats.ts';
import type { Frame } from '../dialect.ts';
import { entryBody } from './requests.ts';

/** Times in unix milliseconds. */
const chatAnswer = z.object({
  chat_id: z.string(),
  title: z.string().nullable(),
  /** The beginning of the first message of a user. */
  preview: z.string().nullable(),
  pinned: z.boolean(),
  /** The message that the chat was left at. */
  head: z.string().nullable(),
  created: z.int(),
  /** The time of the last message. */
  updated: z.int(),
  /** Those that are not deleted. */
  messages: z.int(),
  bytes: z.int(),
  revision: z.string(),
  /** Lines of the file that cannot be read and were left out. */
  damaged_lines: z.int(),
  /** When it was put into the bin. */
  deleted: z.int().optional(),
  /** Where the words of a search stand, if not in the title. */
  snippet: z.string().optional(),
});
export type ChatAnswer = z.output<typeof chatAnswer>;

const chatListAnswer = z.object({ chats: z.array(chatAnswer), next_cursor: z.string().nullable() });
export type ChatListAnswer = z.output<typeof chatListAnswer>;

const chatPartAnswer = z.object({
  chat: chatAnswer,
  entries: z.array(entryBody),
  /** For the next `after`. */
  revision: z.string(),
  /** False: these entries begin with the first one. */
  continued: z.boolean(),
  /** There are more after `revision`. */
  more: z.boolean(),
});
export type ChatPartAnswer = z.output<typeof chatPartAnswer>;

const appendedAnswer = z.object({
  chat_id: z.string(),
  accepted: z.array(z.string()),
  known: z.array(z.string()),
});
export type AppendedAnswer = z.output<typeof appendedAnswer>;

/** POST /api/chats/import. */
const importAnswer = z.object({
  chats: z.int(),
  /** Entries that were new, and that had been there. */
  accepted: z.int(),
  known: z.int(),
  /** Chats that could not be taken, whole or in part, and why. */
  failed: z.array(z.object({ chat_id: z.string(), error: z.string() })),
});
export type ImportAnswer = z.output<typeof importAnswer>;

const chatChange = z.object({
  chat_id: z.string(),
  change: z.enum(['changed', 'removed']),
  revision: z.string().nullable(),
});
export type ChatChangeEvent = z.output<typeof chatChange>;

function writeChat({ chatId, damagedLines, ...rest }: ChatSummary | FoundChat): ChatAnswer {
  return { chat_id: chatId, ...rest, damaged_lines: damagedLines };
}

export function writeChatList({ chats, nextCursor }: ChatList): ChatListAnswer {
  return { chats: chats.map(writeChat), next_cursor: nextCursor };
}

/** Entries go out as they came in. */
export function writeChatPart({ summary, entries, revision, continued, more }: ChatPart) {
  return { chat: writeChat(summary), entries, revision, continued, more };
}

export function writeAppended({ chatId, accepted, known }: Appended): AppendedAnswer {
  return { chat_id: chatId, accepted: [...accepted], known: [...known] };
}

export function writeChange({ chatId, change, revision }: ChatChange): Frame {
  return { type: 'data', event: 'chat', data: { chat_id: chatId, change, revision } };
}
