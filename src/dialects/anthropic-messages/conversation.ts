import { ServeError } from '../../contract/errors.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { Content, Message, TextPart, ToolCall } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import { unpackReasoning } from '../shared/hidden-reasoning.ts';
import { invalidJsonKey } from './answer.ts';
import { withoutAttribution } from './attribution.ts';
import type { ContentBlock, MessagesBody, PlainBlock, ToolResultBlock, WireMessage } from './schema.ts';

/** Told to the client when something was accepted but not used. A set: one screenshot per turn needs one warning. */
export type Warnings = Set<string>;

/** A block and where the client wrote it, for errors. */
interface Placed {
  readonly block: ContentBlock;
  readonly at: string;
}

interface Turn {
  readonly role: WireMessage['role'];
  readonly blocks: readonly Placed[];
}

/** `system` and `messages` as the house speaks them. */
export function toMessages(body: MessagesBody, warnings: Warnings): Message[] {
  const turns = combineTurns(body.messages);
  return [...toSystem(body.system), ...turns.flatMap((turn) => toTurnMessages(turn, warnings))];
}

function toSystem(system: MessagesBody['system']): Message[] {
  if (system === undefined) return [];
  return toSystemMessages(typeof system === 'string' ? [system] : system.map((block) => block.text));
}

function toSystemMessages(texts: readonly string[]): Message[] {
  const kept = texts.map(withoutAttribution).filter((text) => text !== undefined);
  return kept.length === 0 ? [] : [{ role: 'system', content: toContent(kept) }];
}

/** The protocol's rule: consecutive turns of one role are one turn. */
function combineTurns(messages: readonly WireMessage[]): Turn[] {
  const turns: { role: Turn['role']; blocks: Placed[] }[] = [];
  messages.forEach((message, index) => {
    const last = turns.at(-1);
    const blocks = placeBlocks(message, `messages[${index}].content`);
    if (last?.role === message.role) last.blocks.push(...blocks);
    else turns.push({ role: message.role, blocks });
  });
  return turns;
}

function placeBlocks({ content }: WireMessage, at: string): Placed[] {
  if (typeof content === 'string') return [{ block: { type: 'text', text: content }, at }];
  return content.map((block, index) => ({ block, at: `${at}[${index}]` }));
}

function toTurnMessages(turn: Turn, warnings: Warnings): Message[] {
  switch (turn.role) {
    case 'system':
      return toSystemMessages(textsOf(turn.blocks, warnings));
    case 'user':
      return toUserMessages(turn.blocks, warnings);
    case 'assistant':
      return [toAssistantMessage(turn.blocks, warnings)];
    default:
      return turn.role satisfies never;
  }
}

/**
 * Tool results come first, whatever was written between them: templates want the results right behind the calls, and the
 * protocol asks its clients to write them so.
 */
function toUserMessages(blocks: readonly Placed[], warnings: Warnings): Message[] {
  const results = blocks.flatMap(({ block }) => (block.type === 'tool_result' ? [toToolMessage(block, warnings)] : []));
  const others = blocks.filter(({ block }) => block.type !== 'tool_result');
  if (others.length === 0 && results.length > 0) return results;
  return [...results, { role: 'user', content: toContent(textsOf(others, warnings)) }];
}

function toAssistantMessage(blocks: readonly Placed[], warnings: Warnings): Message {
  const thoughts = blocks.flatMap(({ block }) =>
    block.type === 'thinking' ? [block.thinking || (unpackReasoning(block.signature ?? '') ?? '')] : [],
  );
  const toolCalls = blocks.flatMap(({ block }) => (block.type === 'tool_use' ? [toToolCall(block)] : []));
  const others = blocks.filter(({ block }) => block.type !== 'thinking' && block.type !== 'tool_use');
  const texts = textsOf(others, warnings);
  return defined({
    role: 'assistant' as const,
    content: texts.length === 0 ? null : toContent(texts),
    reasoning: thoughts.join('\n') || undefined,
    toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
  });
}

function toToolCall({ id, name, input }: Extract<ContentBlock, { type: 'tool_use' }>): ToolCall {
  const malformed = isJsonObject(input) && Object.keys(input).length === 1 ? input[invalidJsonKey] : undefined;
  return { id, name, arguments: typeof malformed === 'string' ? malformed : JSON.stringify(input ?? {}) };
}

function toToolMessage({ tool_use_id, content, is_error }: ToolResultBlock, warnings: Warnings): Message {
  const texts = typeof content === 'string' ? [content] : (content ?? []).map((block) => resultText(block, warnings));
  return { role: 'tool', content: toContent(is_error ? markError(texts) : texts), toolCallId: tool_use_id };
}

/** The templates know no failed results, so the text has to say it, unless it does already. */
function markError(texts: readonly string[]): string[] {
  const [first = '', ...rest] = texts;
  return /^[\s<[(*]*(tool_use_)?error/i.test(first) ? [...texts] : [`Error: ${first}`, ...rest];
}

/** Agents put screenshots and the like into results: a note keeps the conversation going, where an error would end it. */
function resultText(block: PlainBlock, warnings: Warnings): string {
  const text = readableText(block);
  if (text !== undefined) return text;
  const name = block.type === 'unknown' ? block.name : block.type;
  warnings.add(`${name} blocks in tool results were replaced by a note: this server reads text only`);
  return `[${name} left out: only text can be read here]`;
}

function textsOf(blocks: readonly Placed[], warnings: Warnings): string[] {
  return blocks.flatMap(({ block, at }) => {
    switch (block.type) {
      case 'image':
        throw unreadable(block.type, at);
      case 'document':
      case 'text':
      case 'search_result':
      case 'tool_reference': {
        const text = readableText(block);
        if (text === undefined) throw unreadable(block.type, at);
        return [text];
      }
      case 'redacted_thinking':
      case 'thinking':
      case 'tool_use':
      case 'tool_result':
        warnings.add(`${block.type} blocks were skipped where they do not belong or cannot be read`);
        return [];
      case 'unknown':
        warnings.add(`${block.name} blocks were skipped: this server does not know them`);
        return [];
      default:
        return block satisfies never;
    }
  });
}

function readableText(block: PlainBlock): string | undefined {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'search_result':
      return [`${block.title} (${block.source})`, ...block.content.map(({ text }) => text)].join('\n');
    case 'tool_reference':
      return `The tool ${block.tool_name} is available.`;
    case 'document': {
      const text = block.source?.type === 'text' ? block.source.data : undefined;
      return block.title === undefined || text === undefined ? text : `${block.title}\n${text}`;
    }
    case 'image':
    case 'unknown':
      return undefined;
    default:
      return block satisfies never;
  }
}

function unreadable(type: string, at: string): ServeError {
  return new ServeError(
    'invalid_request',
    `\`${at}\` is of type "${type}", but this server reads text only. Send the text of it, or leave it out.`,
    { param: at },
  );
}

/**
 * One text is a plain string however it was written: clients move `cache_control` from turn to turn and with it switch
 * between the two spellings, which must not change the prompt.
 */
function toContent(texts: readonly string[]): Content {
  const [first = ''] = texts;
  return texts.length <= 1 ? first : texts.map((text): TextPart => ({ type: 'text', text }));
}
