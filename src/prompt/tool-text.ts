import type { ChatFormat, ToolCallFormat } from '../contract/chat-format.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { isJsonObject } from '../contract/json.ts';

/**
 * Tools in words, for templates that do not know them: the definitions go into the system text, calls and results into
 * the text of the messages. The calls are written as the family's machine reads them.
 */
export function describeTools(tools: readonly JsonValue[], format: ToolCallFormat): string {
  const example = writeCalls([{ name: 'tool_name', arguments: '{"parameter": "value"}' }], format);
  const lines = tools.map((tool) => JSON.stringify(isJsonObject(tool) && tool.function ? tool.function : tool));
  return [
    'You can call these tools, one JSON object per line:',
    '<tools>',
    ...lines,
    '</tools>',
    'When a tool fits, answer with its call, exactly in this form, and stop:',
    example,
    'The result comes in the next message.',
  ].join('\n');
}

interface WrittenCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** Calls as the family's models write them; the syntaxes that no template lacks are written as plain JSON. */
function writeCalls(calls: readonly WrittenCall[], format: ToolCallFormat): string {
  switch (format.syntax) {
    case 'json':
    case 'named-json':
    case 'python': {
      const written = calls.map((call) => `${format.open}${writeCall(call, format)}${format.close}`);
      return `${format.section?.open ?? ''}${written.join(format.separator)}${format.section?.close ?? ''}`;
    }
    default:
      return calls.map(jsonCall).join('\n');
  }
}

function jsonCall({ name, arguments: args }: WrittenCall): string {
  return `{"name": ${JSON.stringify(name)}, "arguments": ${args}}`;
}

function writeCall(call: WrittenCall, format: Extract<ToolCallFormat, { syntax: 'json' | 'named-json' | 'python' }>) {
  if (format.syntax === 'named-json') return `${call.name}${format.nameEnd}${call.arguments}`;
  if (format.syntax === 'python') return `${call.name}(${pythonArguments(call.arguments)})`;
  const { name, arguments: args } = format.keys;
  if (format.nameIsKey) return `{${JSON.stringify(call.name)}: ${call.arguments}}`;
  return `{${JSON.stringify(name)}: ${JSON.stringify(call.name)}, ${JSON.stringify(args)}: ${call.arguments}}`;
}

function pythonArguments(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (!isJsonObject(value)) return text;
  return Object.entries(value)
    .map(([key, member]) => `${key}=${JSON.stringify(member)}`)
    .join(', ');
}

/** Calls that the template does not show become text after the content. */
export function callsAsText(message: JsonObject, format: ChatFormat): JsonObject {
  const { tool_calls: calls, ...others } = message;
  if (!Array.isArray(calls) || !format.toolCalls) return message;
  const written = writeCalls(calls.map(writtenCall), format.toolCalls);
  return { ...others, content: withText(others.content ?? '', written) };
}

function writtenCall(call: JsonValue): WrittenCall {
  const called = isJsonObject(call) && isJsonObject(call.function) ? call.function : {};
  const args = called.arguments;
  return { name: String(called.name), arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}) };
}

/** A tool's result as text of a user. */
export function resultAsText(message: JsonObject): JsonObject {
  const content = typeof message.content === 'string' ? message.content : JSON.stringify(message.content);
  return { role: 'user', content: `<tool_response>\n${content}\n</tool_response>` };
}

/** Content with more text after it. */
export function withText(content: JsonValue, text: string): JsonValue {
  if (Array.isArray(content)) return [...content, { type: 'text', text }];
  return typeof content === 'string' && content !== '' ? `${content}\n${text}` : text;
}
