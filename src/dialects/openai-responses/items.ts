import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import { optional } from '../shared/validate.ts';

/** Any JSON object: the body was JSON, so nothing below it needs a look. */
export const jsonObject = z.custom<JsonObject>(isJsonObject, { error: 'an object', params: { wanted: true } });

const content = z.union([z.string(), z.array(jsonObject)]);
const raw = jsonObject;
const toolName = z.string().min(1);

const item = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('message'),
    raw,
    role: z.enum(['system', 'developer', 'user', 'assistant']),
    content,
  }),
  z.object({
    kind: z.literal('reasoning'),
    raw,
    content: optional(content),
    summary: optional(content),
    encrypted_content: optional(z.string()),
  }),
  z.object({
    kind: z.literal('function-call'),
    raw,
    call_id: z.string(),
    name: toolName,
    namespace: optional(z.string()),
    arguments: z.string(),
  }),
  z.object({
    kind: z.literal('custom-call'),
    raw,
    call_id: z.string(),
    name: toolName,
    namespace: optional(z.string()),
    input: z.string(),
  }),
  /** Calls of tools that OpenAI's API defines itself: each has its arguments in a field of its own. */
  z.object({
    kind: z.literal('built-in-call'),
    raw,
    type: z.string(),
    id: optional(z.string()),
    call_id: optional(z.string()),
  }),
  z.object({
    kind: z.literal('call-output'),
    raw,
    id: optional(z.string()),
    call_id: optional(z.string()),
    output: z.unknown().optional(),
  }),
  z.object({ kind: z.literal('more-tools'), raw, tools: z.array(jsonObject) }),
  /** A search for tools that the client makes; OpenAI's own searches have no call id. */
  z.object({ kind: z.literal('search-call'), raw, call_id: optional(z.string()), arguments: z.unknown().optional() }),
  z.object({ kind: z.literal('search-output'), raw, call_id: optional(z.string()), tools: z.array(jsonObject) }),
  /** Of tools that the server ran, or asks about: see mcp-items.ts. */
  z.object({ kind: z.literal('mcp'), raw, type: z.string() }),
  z.object({ kind: z.literal('reference'), raw, id: z.string() }),
  z.object({ kind: z.literal('unknown'), raw, type: z.string() }),
]);

export type InputItem = z.output<typeof item>;
export type ItemOf<Kind extends InputItem['kind']> = Extract<InputItem, { kind: Kind }>;

/** One entry of `input`. Its kind is found by `type`, or by its fields where clients leave the type out. */
export const inputItem = z.preprocess(
  (value) => (isJsonObject(value) ? { ...value, kind: kindOf(value), raw: value } : value),
  item,
);

const kinds = new Map<string, InputItem['kind']>([
  ['message', 'message'],
  ['reasoning', 'reasoning'],
  ['function_call', 'function-call'],
  ['custom_tool_call', 'custom-call'],
  ['local_shell_call', 'built-in-call'],
  ['shell_call', 'built-in-call'],
  ['apply_patch_call', 'built-in-call'],
  ['function_call_output', 'call-output'],
  ['custom_tool_call_output', 'call-output'],
  ['local_shell_call_output', 'call-output'],
  ['shell_call_output', 'call-output'],
  ['apply_patch_call_output', 'call-output'],
  ['additional_tools', 'more-tools'],
  ['tool_search_call', 'search-call'],
  ['tool_search_output', 'search-output'],
  ['mcp_list_tools', 'mcp'],
  ['mcp_call', 'mcp'],
  ['mcp_approval_request', 'mcp'],
  ['mcp_approval_response', 'mcp'],
  ['item_reference', 'reference'],
]);

/** A type that we do not know is no error: a new release of a client must not break on it. */
function kindOf(value: JsonObject): InputItem['kind'] {
  if (typeof value.type === 'string') return kinds.get(value.type) ?? 'unknown';
  return 'id' in value && !('role' in value) ? 'reference' : 'message';
}

/** What `input: "..."` stands for. */
export function userItem(text: string): ItemOf<'message'> {
  const message = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
  return { kind: 'message', role: 'user', content: text, raw: message };
}
