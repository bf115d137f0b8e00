import { z } from 'zod';

/**
 * GET /api/ui/config: what a page must know before it shows anything. A caller that has not given the key yet is told
 * `version` and `key_needed` only.
 */
export const uiConfigAnswer = z.object({
  /** Of this package. */
  version: z.string(),
  /** The server has keys: every route but the open ones asks for one. */
  key_needed: z.boolean(),
  caller: z
    .object({
      /** The person, by the name of its key; null on a server without keys. */
      name: z.string().nullable(),
      /** The request comes from the machine that the server runs on. */
      local: z.boolean(),
      can: z.object({
        /** Load, unload and delete models. */
        change_models: z.boolean(),
        /** Have the server run tools. */
        tools: z.boolean(),
        /** Keep chats on the server. */
        chat_store: z.boolean(),
      }),
    })
    .optional(),
  /** What the server keeps between requests. */
  stores: z
    .object({
      chats: z.union([
        z.object({
          on: z.literal(true),
          /** Where they lie; null for callers who may not know paths of this machine. */
          folder: z.string().nullable(),
        }),
        /** One sentence. */
        z.object({ on: z.literal(false), reason: z.string() }),
      ]),
      responses: z.boolean(),
    })
    .optional(),
  limits: z
    .object({
      body_bytes: z.int(),
      json_depth: z.int(),
      /** Of the chats on the server; null where the caller has none. */
      chats: z.object({ entry_bytes: z.int(), file_bytes: z.int(), owner_bytes: z.int(), chats: z.int() }).nullable(),
    })
    .optional(),
  /** How many servers of tools GET /api/mcp tells of; null: there are none for this caller. */
  mcp: z.object({ servers: z.int() }).nullable().optional(),
});
export type UiConfig = z.output<typeof uiConfigAnswer>;
