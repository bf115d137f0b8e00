import type { Caller } from './caller.ts';
import type { JsonObject } from './json.ts';

/** Ids of chats become names of files: without capitals, which some file systems do not tell apart. */
export const chatIdPattern = /^[a-z0-9][a-z0-9_-]{7,63}$/;
export const entryIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
export const sha256Pattern = /^[0-9a-f]{64}$/;

interface EntryBase {
  /** The client's: the same one twice counts once. */
  readonly entry_id: string;
  /** Unix milliseconds. */
  readonly time: number;
}

/** A node of the chat's tree. What the message says besides its role is the client's own. */
interface MessageEntry extends EntryBase {
  readonly type: 'message';
  /** The message that it follows; null: none. */
  readonly parent: string | null;
  readonly message: JsonObject;
  /** SHA-256 of the kept files that the message refers to. */
  readonly files?: readonly string[];
}

/** Another text for a message, in its place. The last one counts. */
interface EditEntry extends EntryBase {
  readonly type: 'edit';
  readonly target: string;
  readonly message: JsonObject;
  readonly files?: readonly string[];
}

/**
 * One line of a chat's log, as clients write it and as it is stored. Of titles, pins, settings and heads the last one
 * counts, of edits and deletions the last one of each message; what is deleted takes along all that follows it.
 */
export type ChatEntry =
  | MessageEntry
  | EditEntry
  | (EntryBase & { readonly type: 'title'; readonly title: string })
  | (EntryBase & { readonly type: 'pin'; readonly pinned: boolean })
  /** How the chat is to be gone on with. The client's own, all of it. */
  | (EntryBase & { readonly type: 'settings'; readonly settings: JsonObject })
  /** The message that the chat was left at; null: none. */
  | (EntryBase & { readonly type: 'head'; readonly head: string | null })
  /** `deleted: false` takes a deletion back. */
  | (EntryBase & { readonly type: 'delete'; readonly target: string; readonly deleted: boolean });

export interface ChatSummary {
  readonly chatId: string;
  readonly title: string | null;
  /** The beginning of the first message of a user. */
  readonly preview: string | null;
  readonly pinned: boolean;
  readonly head: string | null;
  /** Unix milliseconds; `updated` is the time of the last message. */
  readonly created: number;
  readonly updated: number;
  /** Those that are not deleted. */
  readonly messages: number;
  readonly bytes: number;
  /** Where the log ends, for `read`. */
  readonly revision: string;
  /** Lines that cannot be read, as a process that was killed leaves one behind. */
  readonly damagedLines: number;
  /** When it was put into the bin. */
  readonly deleted?: number;
}

/** One that was found: where, if not in its title. */
export interface FoundChat extends ChatSummary {
  readonly snippet?: string;
}

export interface ChatQuery {
  /** Words that must all be in the title or the messages. */
  readonly words: readonly string[];
  readonly limit: number;
  readonly cursor?: string;
  readonly bin: boolean;
}

export interface ChatList {
  /** Pinned ones first, then those that were written to last. */
  readonly chats: readonly FoundChat[];
  /** For the next page; null: there is none. */
  readonly nextCursor: string | null;
}

export interface ChatPart {
  readonly summary: ChatSummary;
  readonly entries: readonly ChatEntry[];
  /** After the last of these entries. */
  readonly revision: string;
  /** False: `entries` begin at the first one, because nothing was asked for or it is not known any more. */
  readonly continued: boolean;
  readonly more: boolean;
}

/** Where an answer is to be kept: as this entry, after this message. */
export interface ChatPlace {
  readonly chatId: string;
  readonly entryId: string;
  readonly parent: string | null;
}

/** Which of the entries were new, and which had been there. */
export interface Appended {
  readonly chatId: string;
  readonly accepted: readonly string[];
  readonly known: readonly string[];
}

export interface ChatChange {
  readonly chatId: string;
  readonly change: 'changed' | 'removed';
  /** Null: it is gone. */
  readonly revision: string | null;
}

export interface KeptFile {
  readonly bytes: number;
  read(): AsyncIterable<Uint8Array>;
}

export interface ChatLimits {
  readonly entryBytes: number;
  readonly fileBytes: number;
  /** Of one owner: chats, bin and files together. */
  readonly ownerBytes: number;
  readonly chats: number;
}

type Asker = Pick<Caller, 'owner' | 'sees'>;

/**
 * Chats kept on the server. New ones are the caller's; what a caller does not see is not there (`not_found`). Lists hold
 * the caller's own, with those that were kept before there were keys where these are its. `storage_full` where a limit
 * or the disk is reached; nothing that was there before is lost then.
 */
export interface ChatStore {
  /** For people: where the chats lie. */
  readonly folder: string;
  readonly limits: ChatLimits;
  list(caller: Asker, query: ChatQuery): Promise<ChatList>;
  /** With a `chatId` that is there already the entries are appended to it. */
  create(caller: Asker, chat: { readonly chatId?: string; readonly entries: readonly ChatEntry[] }): Promise<Appended>;
  /** Entries after a revision, or from the first one. */
  read(caller: Asker, chatId: string, after?: string): Promise<ChatPart>;
  append(caller: Asker, chatId: string, entries: readonly ChatEntry[]): Promise<Appended>;
  /** Whether an answer can be kept there later: the chat and the parent must be there, and the entry not. */
  expectPlace(caller: Asker, place: ChatPlace): Promise<void>;
  /** Into the bin, from where it goes after 30 days; `forever`: from the bin too. */
  remove(caller: Asker, chatId: string, options: { readonly forever: boolean }): Promise<void>;
  restore(caller: Asker, chatId: string): Promise<void>;
  /** Deletes for ever what is in the bin; how many chats that were. */
  emptyBin(caller: Asker): Promise<number>;
  /** Rejects with `invalid_request` where the bytes have another hash. */
  keepFile(caller: Asker, sha256: string, bytes: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }>;
  file(caller: Asker, sha256: string): Promise<KeptFile>;
  /** From now on, until the signal. */
  changes(caller: Asker, signal: AbortSignal): AsyncIterable<ChatChange>;
  /** Settles when nothing is being written. */
  settled(): Promise<void>;
  /** Ends all `changes`: the server stops. */
  endChanges(): void;
}

/** Where chats are kept. `asked`: the user named the folder, so it must be usable. */
export type ChatStorePlace =
  | { readonly kept: false }
  | { readonly kept: true; readonly folder: string; readonly asked: boolean };
