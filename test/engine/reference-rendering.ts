import type { JsonObject, JsonValue } from '../../src/contract/json.ts';

/**
 * What llama.cpp's server hands to a template for OpenAI-style messages, written down from its documented behaviour and
 * independent of the product's own normalising.
 */
interface WireMessage {
  readonly role: string;
  readonly content?: string | readonly { readonly type: 'text'; readonly text: string }[];
  readonly reasoning_content?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly {
    readonly type: 'function';
    readonly function: { readonly name: string; readonly arguments: string };
    readonly id: string;
  }[];
}

export interface WireChat {
  readonly messages: readonly WireMessage[];
  readonly tools?: readonly JsonObject[];
  readonly enableThinking?: boolean;
}

export interface Reference {
  readonly template: string;
  readonly flags: string;
  readonly thinks: boolean;
  readonly bos: string;
  readonly eos: string;
  readonly now: Date;
}

type Loose = { role: string; content: JsonValue } & { [key: string]: JsonValue | undefined };

export function referenceVariables(chat: WireChat, reference: Reference): JsonObject {
  const { template, flags, thinks, bos, eos, now } = reference;
  let messages = chat.messages.map((message) => normalised(message, reference));
  if (!flags.includes('S')) messages = systemIntoNext(messages);
  if (flags.includes('O')) messages = messages.map(objectArguments);
  messages = rewritten(messages, template);
  return {
    messages,
    ...(chat.tools && { tools: chat.tools }),
    bos_token: bos,
    eos_token: eos,
    enable_thinking: chat.enableThinking ?? thinks,
    preserve_thinking: true,
    clear_thinking: false,
    truncate_history_thinking: false,
    drop_thinking: false,
    datetime: `${month(now)} ${day(now)} ${now.getFullYear()}`,
    date_string: `${day(now)} ${month(now)} ${now.getFullYear()}`,
    add_generation_prompt: true,
  };
}

function normalised(message: WireMessage, { flags, template }: Reference): Loose {
  const { role, content = '', reasoning_content, tool_call_id, tool_calls } = message;
  const trims = template.includes('You have access to the following functions in JSONSchema format');
  const trim = (text: string) => (trims ? text.trim() : text);
  const parts =
    typeof content === 'string' ? trim(content) : content.map(({ type, text }) => ({ type, text: trim(text) }));
  const asString = typeof parts === 'string' ? parts : parts.map(({ text }) => text).join('\n');
  return {
    role: role === 'developer' && !template.includes('<|channel|>') ? 'system' : role,
    content: contentFor(parts, asString, flags),
    ...(reasoning_content !== undefined && { reasoning_content: trim(reasoning_content) }),
    ...(tool_call_id !== undefined && { tool_call_id }),
    ...(tool_calls && { tool_calls }),
  };
}

function contentFor(
  content: string | readonly { type: string; text: string }[],
  text: string,
  flags: string,
): JsonValue {
  if (!flags.includes('A')) return text;
  if (flags.includes('!') && typeof content === 'string') return [{ type: 'text', text: content }];
  return content;
}

function systemIntoNext(messages: Loose[]): Loose[] {
  const [first, second, ...others] = messages;
  if (first?.role !== 'system') return messages;
  if (!second) return [];
  return [{ ...second, content: `${first.content}\n${second.content}` }, ...others];
}

function objectArguments(message: Loose): Loose {
  const calls = message.tool_calls;
  if (!Array.isArray(calls)) return message;
  const parsed = calls.map((call) => ({
    ...call,
    function: { ...call.function, arguments: JSON.parse(call.function.arguments) },
  }));
  return { ...message, tool_calls: parsed };
}

/** What the handlers of single families change. */
function rewritten(messages: Loose[], template: string): Loose[] {
  if (template.includes('[SYSTEM_PROMPT]') && template.includes('[TOOL_CALLS]') && template.includes('[ARGS]')) {
    return template.includes('[CALL_ID]') ? messages : messages.map(mistral);
  }
  if (template.includes('<|channel|>')) return messages.map(harmony);
  if (template.includes("'<|tool_call>call:'") && !template.includes('{#- OpenAI Chat Completions:')) {
    return gemma(messages);
  }
  const isLfm = template.includes('<|tool_list_start|>') || template.includes('List of tools: [');
  return isLfm ? messages.map(thinking) : messages;
}

function thinking(message: Loose): Loose {
  return message.reasoning_content === undefined ? message : { ...message, thinking: message.reasoning_content };
}

function harmony(message: Loose): Loose {
  const { content, ...others } = thinking(message);
  return (message.tool_calls ? others : { ...others, content }) as Loose;
}

function mistral(message: Loose): Loose {
  if (message.role !== 'system' && message.role !== 'assistant') return message;
  const { reasoning_content, content, ...others } = message;
  const texts = typeof content === 'string' ? (content === '' ? [] : [{ type: 'text', text: content }]) : content;
  const thought = reasoning_content ? [{ type: 'thinking', thinking: reasoning_content }] : [];
  return { ...others, content: [...thought, ...(Array.isArray(texts) ? texts : [])] } as Loose;
}

/** A call, its results and a plain answer behind them are one turn. */
function gemma(messages: Loose[]): Loose[] {
  const turns: Loose[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (message.role === 'tool' && last?.role === 'assistant') {
      last.tool_responses = [...((last.tool_responses as JsonValue[]) ?? []), toolResponse(message, last)];
    } else if (message.role === 'assistant' && last?.tool_responses && !message.tool_calls) {
      last.content = message.content;
    } else {
      turns.push({ ...message });
    }
  }
  return turns;
}

function toolResponse(message: Loose, turn: Loose): JsonValue {
  const calls = (turn.tool_calls ?? []) as { id?: string; function: { name: string } }[];
  const name = calls.find(({ id }) => id === message.tool_call_id)?.function.name ?? '';
  let response: JsonValue = message.content;
  try {
    response = JSON.parse(String(message.content));
  } catch {}
  return { name, response };
}

function day(date: Date): string {
  return String(date.getDate()).padStart(2, '0');
}

function month(date: Date): string {
  return date.toLocaleString('en-US', { month: 'short' });
}
