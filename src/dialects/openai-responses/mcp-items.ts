import { z } from 'zod';
import { optional, validate } from '../shared/validate.ts';
import type { ItemOf } from './items.ts';

/** Members of this server's own: the id by which the model called the tool, and in which turn of its answer. */
const ownMembers = { call_id: optional(z.string()), round: optional(z.int()) };

const call = { server_label: z.string(), name: z.string().min(1), arguments: z.string() };

const mcpItem = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('mcp_list_tools'),
    server_label: z.string(),
    error: z.unknown().optional(),
  }),
  z.object({
    type: z.literal('mcp_call'),
    id: z.string(),
    ...call,
    ...ownMembers,
    approval_request_id: optional(z.string()),
    output: optional(z.string()),
    /** OpenAI's answers have objects here too. */
    error: z.unknown().optional(),
  }),
  z.object({ type: z.literal('mcp_approval_request'), id: z.string(), ...call, ...ownMembers }),
  z.object({
    type: z.literal('mcp_approval_response'),
    approval_request_id: z.string(),
    approve: z.boolean(),
    reason: optional(z.string()),
  }),
]);

export type McpItem = z.output<typeof mcpItem>;
export type McpItemOf<Type extends McpItem['type']> = Extract<McpItem, { type: Type }>;

export function readMcpItem({ raw }: ItemOf<'mcp'>, at: readonly PropertyKey[]): McpItem {
  return validate(mcpItem, raw, at);
}
