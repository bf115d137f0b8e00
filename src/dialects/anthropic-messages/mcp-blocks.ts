import { z } from 'zod';
import type { CallBlock, ToolResultEvent } from '../../contract/events.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { ToolCall } from '../../contract/request.ts';
import { optional } from '../shared/validate.ts';

/** `input` of a call is an object. Text that is none goes under this key, as Anthropic advises, and comes back by it. */
export const invalidJsonKey = 'INVALID_JSON';

const textBlock = z.object({ type: z.literal('text'), text: z.string() });

/** A call that the server ran and its result, as one answer has them and as they come back. */
export const mcpToolUse = z.object({
  type: z.literal('mcp_tool_use'),
  id: z.string(),
  name: z.string().min(1),
  server_name: z.string(),
  input: z.unknown().optional(),
});

export const mcpToolResult = z.object({
  type: z.literal('mcp_tool_result'),
  tool_use_id: z.string(),
  content: optional(z.union([z.string(), z.array(textBlock)])),
  is_error: optional(z.boolean()),
  /** This server's own: the arguments as the model wrote them, where `input` would be spelled otherwise. */
  raw_input: optional(z.string()),
});

export type McpToolUse = z.output<typeof mcpToolUse>;
export type McpToolResult = z.output<typeof mcpToolResult>;

export function emptyMcpToolUse({ id, name, server = '' }: Pick<CallBlock, 'id' | 'name' | 'server'>): JsonObject {
  return { type: 'mcp_tool_use', id, name, server_name: server, input: {} };
}

export function mcpResultBlock({ callId, content, isError }: ToolResultEvent, written: string): JsonObject {
  const input = toInput(written);
  return {
    type: 'mcp_tool_result',
    tool_use_id: callId,
    is_error: isError,
    content: [{ type: 'text', text: content }],
    ...(argumentsOf(input) !== written && { raw_input: written }),
  };
}

export function toInput(text: string): JsonValue {
  if (text.trim() === '') return {};
  try {
    const input: unknown = JSON.parse(text);
    if (isJsonObject(input)) return input;
  } catch {
    // Cut off by max_tokens, or the model's slip: the client gets what there is.
  }
  return { [invalidJsonKey]: text };
}

/** As models write it that learned from Python's `json.dumps`: most. */
function argumentsOf(input: unknown): string {
  const malformed = isJsonObject(input) && Object.keys(input).length === 1 ? input[invalidJsonKey] : undefined;
  return typeof malformed === 'string' ? malformed : spaced(input);
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`)
    .join(', ')}}`;
}

/** The call as the model made it. */
export function toServerCall(
  { id, name, server_name, input }: McpToolUse,
  result: McpToolResult | undefined,
): ToolCall {
  return { id, name, server: server_name, arguments: result?.raw_input ?? argumentsOf(input ?? {}) };
}

/** What the model read of it. */
export function resultText(result: McpToolResult | undefined): string {
  const content = result?.content;
  if (content === undefined) return result ? '' : 'This call was not run.';
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}
