import { z } from 'zod';
import { type ChatEntry, chatIdPattern, entryIdPattern, sha256Pattern } from '../../contract/chats.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import { defined } from '../shared/defined.ts';
import { optional, rule, validate } from '../shared/validate.ts';

const entryId = rule(
  z.string(),
  (text) => entryIdPattern.test(text),
  'of 1 to 64 of the characters A-Z, a-z, 0-9, - and _',
);
const hash = rule(z.string(), (text) => sha256Pattern.test(text), 'a SHA-256 in 64 small hexadecimal digits');
const chatId = rule(z.string(), (text) => chatIdPattern.test(text), 'of 8 to 64 of the characters a-z, 0-9, - and _');

/** The client's own but for its role. */
const message = rule(
  z.custom<JsonObject>(isJsonObject, 'an object'),
  ({ role }) => typeof role === 'string' && /^[a-z]{1,32}$/.test(role),
  'an object with a `role`: system, user, assistant, tool or another word in small letters',
);
const files = optional(z.array(hash).max(100));
const base = { entry_id: entryId, time: optional(z.int().min(0)) };

/** Strict: a member that nobody knows would not come back. What a client wants to keep of its own stands in `message`. */
export const entryBody = z.discriminatedUnion('type', [
  z.strictObject({ ...base, type: z.literal('message'), parent: z.union([entryId, z.null()]), message, files }),
  z.strictObject({ ...base, type: z.literal('edit'), target: entryId, message, files }),
  z.strictObject({ ...base, type: z.literal('title'), title: z.string().max(1000) }),
  z.strictObject({ ...base, type: z.literal('pin'), pinned: z.boolean() }),
  z.strictObject({
    ...base,
    type: z.literal('settings'),
    settings: z.custom<JsonObject>(isJsonObject, 'an object'),
  }),
  z.strictObject({ ...base, type: z.literal('head'), head: z.union([entryId, z.null()]) }),
  z.strictObject({ ...base, type: z.literal('delete'), target: entryId, deleted: z.boolean().default(true) }),
]);

/** The member `chat` of a request whose answer is kept in a chat. */
export const chatPlace = z.strictObject({ chat_id: chatId, entry_id: entryId, parent: z.union([entryId, z.null()]) });

export const mostEntries = 1000;

/** POST /api/chats. */
export const createChatBody = z.strictObject({
  chat_id: optional(chatId),
  entries: z.array(entryBody).max(mostEntries).default([]),
});

/** POST /api/chats/{id}/entries. */
export const appendBody = z.strictObject({ entries: z.array(entryBody).min(1).max(mostEntries) });

export const exportFormat = 'serve-model.chats';

/** POST /api/chats/import: what GET /api/chats/export gives. */
export const importBody = z.strictObject({
  format: z.literal(exportFormat),
  version: z.literal(1),
  chats: z.array(z.strictObject({ chat_id: chatId, entries: z.array(entryBody) })),
});

/** `now` in unix milliseconds: the time of entries that tell none, and of those that lie ahead of it. */
export function parseCreate(body: unknown, now: number): { chatId?: string; entries: readonly ChatEntry[] } {
  const { chat_id, entries } = validate(createChatBody, body);
  return { ...defined({ chatId: chat_id }), entries: entries.map((entry) => toEntry(entry, now)) };
}

export function parseImport(
  body: unknown,
  now: number,
): readonly { readonly chatId: string; readonly entries: readonly ChatEntry[] }[] {
  return validate(importBody, body).chats.map(({ chat_id, entries }) => ({
    chatId: chat_id,
    entries: entries.map((entry) => toEntry(entry, now)),
  }));
}

export function parseAppend(body: unknown, now: number): readonly ChatEntry[] {
  return validate(appendBody, body).entries.map((entry) => toEntry(entry, now));
}

function toEntry(wire: z.output<typeof entryBody>, now: number): ChatEntry {
  const time = Math.min(wire.time ?? now, now);
  switch (wire.type) {
    case 'message':
    case 'edit': {
      const { files: hashes, ...rest } = wire;
      return { ...rest, time, ...defined({ files: hashes }) };
    }
    case 'title':
    case 'pin':
    case 'settings':
    case 'head':
    case 'delete':
      return { ...wire, time };
    default:
      return wire satisfies never;
  }
}
