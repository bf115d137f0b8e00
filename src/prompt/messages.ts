import type { ChatFormat } from '../contract/chat-format.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { isJsonObject } from '../contract/json.ts';
import { type Content, type ContentPart, isMediaPart, type Message, type ToolCall } from '../contract/request.ts';
import type { Protection } from './protect.ts';
import { isSpoken, type SpokenCalls } from './spoken-calls.ts';
import { type TemplateShape, thinkingParts } from './template-shape.ts';

type Assistant = Extract<Message, { role: 'assistant' }>;

/** What turning messages into a template's objects depends on. */
export interface MessageContext {
  readonly shape: TemplateShape;
  readonly format: ChatFormat;
  readonly protection: Protection;
  readonly spoken: SpokenCalls;
}

/** Contract message -> the object that this template understands, user text protected; `index` is the message's own. */
export function templateMessage(message: Message, index: number, context: MessageContext): JsonObject {
  const { protection } = context;
  const name = message.name ? { name: protection.text(message.name) } : {};
  const content = templateContent(message.content ?? '', context);
  switch (message.role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role: message.role, content, ...name };
    case 'tool':
      return { role: 'tool', content, ...name, tool_call_id: templateId(message.toolCallId, context) };
    case 'assistant':
      return assistantMessage({ message, index }, name, context);
    default:
      return message satisfies never;
  }
}

/** Thoughts go to the field that the template reads, also those that a client has left in the text. */
function assistantMessage(
  { message, index }: { readonly message: Assistant; readonly index: number },
  name: JsonObject,
  context: MessageContext,
): JsonObject {
  const { shape, protection } = context;
  const { reasoning, content } = splitThought(message, context.format);
  const mark = isSpoken(message) ? context.spoken.markOf(index) : '';
  const calls = message.toolCalls?.map((call, at) => templateCall(call, at === 0 ? mark : '', context)) ?? [];
  const field = shape.reasoningField ?? 'reasoning_content';
  const thought = reasoning ? protection.text(trimmed(reasoning, shape)) : undefined;
  const written = templateContent(content, context);
  const withoutContent = calls.length > 0 && written === '' && shape.toolCalls === 'null-content';
  return {
    role: 'assistant',
    content:
      thought !== undefined && field === 'thinking-part' ? asParts(thought, written) : withoutContent ? null : written,
    ...(thought !== undefined && field !== 'thinking-part' && { [field]: thought }),
    ...name,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function asParts(thought: string, content: JsonValue): JsonValue {
  if (typeof content === 'string') return thinkingParts(thought, content);
  return [...thinkingParts(thought, ''), ...(Array.isArray(content) ? content : [])];
}

/** `<think>...</think>` at the beginning of the text is a thought: clients that know no other field send it so. */
export function splitThought({ content, reasoning }: Assistant, { reasoning: markers }: ChatFormat) {
  const whole = { content: content ?? '', reasoning };
  if (reasoning || !markers || typeof content !== 'string') return whole;
  const open = markers.open.trim();
  const begin = content.trimStart();
  const end = begin.indexOf(markers.close.trim());
  if (open === '' || !begin.startsWith(open) || end < 0) return whole;
  return {
    content: begin.slice(end + markers.close.trim().length).trimStart(),
    reasoning: begin.slice(open.length, end).trim(),
  };
}

/** Malformed arguments stay the text that they are: they are history, and the model may see what it wrote. */
function templateCall(call: ToolCall, mark: string, context: MessageContext): JsonObject {
  const { shape, protection, spoken } = context;
  const asObject = shape.objectArguments && !(shape.textArguments && losesDigits(call.arguments));
  const parsed = asObject ? parseObject(call.arguments) : undefined;
  const asWritten = parsed !== undefined && call.server !== undefined ? spoken.stand(call.arguments) : undefined;
  const written = parsed === undefined ? protection.text(call.arguments) : (asWritten ?? protection.value(parsed));
  return {
    type: 'function',
    function: { name: mark + protection.text(call.name), arguments: written },
    id: templateId(call.id, context),
  };
}

function templateId(id: string, { shape, protection }: MessageContext): string {
  return shape.shortIds && !/^[a-zA-Z0-9]{9}$/.test(id) ? shortId(id) : protection.text(id);
}

/** Nine letters and digits out of any id, always the same ones. FNV-1a, 48 of its bits. */
function shortId(id: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const character of id)
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * 0x100000001b3n);
  return (hash >> 17n).toString(36).padStart(9, '0').slice(-9);
}

/** Whether numbers would come out of an object other than they went in: more digits than a double holds. */
function losesDigits(text: string): boolean {
  const numbers = text.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d[\d.eE+-]*/g) ?? [];
  return numbers.some((digits) => /\d{16}/.test(digits) && String(Number(digits)) !== digits);
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function templateContent(content: Content, { shape, protection }: MessageContext): JsonValue {
  if (typeof content === 'string') {
    const text = protection.text(trimmed(content, shape));
    return shape.content === 'parts' ? [{ type: 'text', text }] : text;
  }
  if (content.some(isMediaPart)) {
    const text = trimmed(withMedia(content, protection), shape);
    return shape.content === 'parts' ? [{ type: 'text', text }] : text;
  }
  const texts = content.flatMap((part) => (part.type === 'text' ? [trimmed(part.text, shape)] : []));
  if (shape.content === 'string') return protection.text(texts.join('\n'));
  return texts.map((text) => ({ type: 'text', text: protection.text(text) }));
}

/**
 * Images and sounds stand in the text itself, so that the tokens around them are the encoder's matter alone: many templates would
 * write their own. As llama-server does it: texts on lines of their own, the others directly beside them.
 */
function withMedia(content: readonly ContentPart[], protection: Protection): string {
  let written = '';
  let afterMedium = false;
  for (const part of content) {
    if (part.type === 'text') written += (written !== '' && !afterMedium ? '\n' : '') + protection.text(part.text);
    else if (part.source.type === 'placed') written += protection.medium(part.source.index);
    afterMedium = part.type !== 'text';
  }
  return written;
}

function trimmed(text: string, { trimmedTexts }: TemplateShape): string {
  return trimmedTexts ? text.replace(/^[ \t-\r]+|(?<![ \t-\r])[ \t-\r]+$/g, '') : text;
}
