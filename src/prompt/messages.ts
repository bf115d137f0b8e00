import type { JsonObject, JsonValue } from '../contract/json.ts';
import { isJsonObject } from '../contract/json.ts';
import type { ChatPrompt, Content, Message, ToolCall } from '../contract/request.ts';
import type { TemplateShape } from './probe.ts';
import type { Protection } from './protect.ts';

type ChatMessage = ChatPrompt['messages'][number];
type Assistant = Extract<Message, { role: 'assistant' }>;

/** Contract messages -> the objects that this template understands, user text protected. */
export function templateMessages(
  messages: readonly ChatMessage[],
  shape: TemplateShape,
  protection: Protection,
): JsonObject[] {
  const given = messages.map((message) => templateMessage(message, shape, protection));
  return shape.systemRole ? given : systemIntoNext(given);
}

function templateMessage(message: ChatMessage, shape: TemplateShape, protection: Protection): JsonObject {
  const content = templateContent(message.content ?? '', shape, protection);
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content, ...named(message, protection) };
    case 'developer':
      return { role: shape.developerRole ? 'developer' : 'system', content, ...named(message, protection) };
    case 'tool':
      return {
        role: 'tool',
        content,
        ...named(message, protection),
        tool_call_id: protection.text(message.toolCallId),
      };
    case 'assistant':
      return assistantMessage(message, content, shape, protection);
    default:
      return message satisfies never;
  }
}

function assistantMessage(
  message: Assistant,
  content: JsonValue,
  shape: TemplateShape,
  protection: Protection,
): JsonObject {
  const reasoning = message.reasoning ? protection.text(message.reasoning) : undefined;
  const calls = message.toolCalls?.map((call) => templateCall(call, shape, protection));
  return {
    role: 'assistant',
    content,
    ...(reasoning !== undefined && { [shape.reasoningField]: reasoning }),
    ...named(message, protection),
    ...(calls && calls.length > 0 && { tool_calls: calls }),
  };
}

function named(message: ChatMessage, protection: Protection): JsonObject {
  return message.name ? { name: protection.text(message.name) } : {};
}

/** Malformed arguments stay the text that they are: they are history, and the model may see what it wrote. */
function templateCall(call: ToolCall, shape: TemplateShape, protection: Protection): JsonObject {
  const name = protection.text(call.name);
  const parsed = shape.objectArguments ? parseObject(call.arguments) : undefined;
  const written = parsed === undefined ? protection.text(call.arguments) : protection.value(parsed);
  return { type: 'function', function: { name, arguments: written }, id: protection.text(call.id) };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function templateContent(content: Content, shape: TemplateShape, protection: Protection): JsonValue {
  if (typeof content === 'string') {
    const text = protection.text(content);
    return shape.content === 'parts' ? [{ type: 'text', text }] : text;
  }
  if (shape.content === 'string') return protection.text(content.map(({ text }) => text).join('\n'));
  return content.map(({ text }) => ({ type: 'text', text: protection.text(text) }));
}

/** For templates without a system role: its text goes in front of the message after it. */
function systemIntoNext(messages: readonly JsonObject[]): JsonObject[] {
  const [first, second, ...others] = messages;
  if (first?.role !== 'system') return [...messages];
  if (!second) return [{ ...first, role: 'user' }];
  return [{ ...second, content: joined(first.content, second.content) }, ...others];
}

function joined(before: JsonValue | undefined, after: JsonValue | undefined): JsonValue {
  if (typeof before === 'string' && typeof after === 'string') return `${before}\n${after}`;
  return [...partsOf(before), ...partsOf(after)];
}

function partsOf(content: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(content)) return content;
  return typeof content === 'string' ? [{ type: 'text', text: content }] : [];
}
