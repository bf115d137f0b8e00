import { z } from 'zod';
import type { Content, Message, ToolCall } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import { imageOf } from '../shared/images.ts';
import { optional, validate } from '../shared/validate.ts';

const images = optional(z.array(z.string()).max(1000));

/** Ollama's docs/api.md, "Generate a chat completion". */
const message = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: optional(z.string()),
  thinking: optional(z.string()),
  images,
  tool_calls: optional(
    z.array(
      z.object({
        id: optional(z.string()),
        function: z.object({ name: z.string().min(1), arguments: optional(z.record(z.string(), z.json())) }),
      }),
    ),
  ),
  tool_name: optional(z.string()),
  /** What `tool_name` was called before. */
  name: optional(z.string()),
  tool_call_id: optional(z.string()),
});

type WireMessage = z.output<typeof message>;

export const messagesField = optional(z.array(z.unknown()).max(20_000));

/**
 * Messages of /api/chat. Ollama's calls mostly have no ids and its tool answers name only the tool, so ids are made up
 * from the positions, and an answer belongs to the first call of its name that is still waiting for one.
 */
export function toMessages(list: readonly unknown[]): Message[] {
  const waiting: ToolCall[] = [];
  return list.map((entry, index) => {
    const wire = validate(message, entry, ['messages', index]);
    const toolCalls = (wire.tool_calls ?? []).map((call, position) => ({
      id: call.id ?? `call_${index}_${position}`,
      name: call.function.name,
      arguments: JSON.stringify(call.function.arguments ?? {}),
    }));
    waiting.push(...toolCalls);
    return toMessage(wire, toolCalls, waiting, index);
  });
}

function toMessage(wire: WireMessage, toolCalls: ToolCall[], waiting: ToolCall[], index: number): Message {
  const content = withImages(wire.content ?? '', wire.images, `messages[${index}].images`);
  switch (wire.role) {
    case 'system':
    case 'user':
      return { role: wire.role, content };
    case 'assistant':
      return defined({
        role: wire.role,
        content: content === '' && toolCalls.length > 0 ? null : content,
        reasoning: wire.thinking || undefined,
        toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      });
    case 'tool': {
      const name = wire.tool_name ?? wire.name;
      const call = takeAnswered(waiting, wire.tool_call_id, name);
      const toolCallId = wire.tool_call_id ?? call?.id ?? `call_${index}`;
      return defined({ role: wire.role, content, toolCallId, name: name ?? call?.name });
    }
    default:
      return wire.role satisfies never;
  }
}

function takeAnswered(waiting: ToolCall[], id: string | undefined, name: string | undefined): ToolCall | undefined {
  const matches = (call: ToolCall) => (id !== undefined ? call.id === id : name === undefined || call.name === name);
  const position = waiting.findIndex(matches);
  return position < 0 ? undefined : waiting.splice(position, 1)[0];
}

/** Ollama puts a message's images in front of its text. */
export function withImages(text: string, given: readonly string[] | undefined, param: string): Content {
  if (!given?.length) return text;
  const images = given.map((data, index) => imageOf(data, `${param}[${index}]`));
  return text === '' ? images : [...images, { type: 'text', text }];
}

export { images as imagesField };
