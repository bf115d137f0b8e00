import { ServeError } from '../../contract/errors.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { Content, ContentPart, ImagePart, Message, ToolCall } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import { unpackReasoning } from '../shared/hidden-reasoning.ts';
import { imageAt, imageOf } from '../shared/images.ts';
import { invalidJsonKey } from './mcp-blocks.ts';
import { type PlacedBlock, splitTurns } from './mcp-turns.ts';
import type { ContentBlock, MessagesBody, PlainBlock, ToolResultBlock, WireMessage } from './schema.ts';

/** Told to the client when something was accepted but not used. A set: one screenshot per turn needs one warning. */
export type Warnings = Set<string>;

interface Turn {
  readonly role: WireMessage['role'];
  readonly blocks: readonly PlacedBlock[];
}

export interface Reading {
  readonly warnings: Warnings;
  /** Blocks of tools that the server ran are known. */
  readonly withTools: boolean;
}

/** `system` and `messages` as the house speaks them. */
export function toMessages(body: MessagesBody, reading: Reading): Message[] {
  const turns = combineTurns(body.messages);
  return [...toSystem(body.system), ...turns.flatMap((turn) => toTurnMessages(turn, reading))];
}

function toSystem(system: MessagesBody['system']): Message[] {
  if (system === undefined) return [];
  return toSystemMessages(typeof system === 'string' ? [system] : system.map((block) => block.text));
}

function toSystemMessages(texts: readonly string[]): Message[] {
  const kept = texts.map(withoutAttribution).filter((text) => text !== undefined);
  return kept.length === 0 ? [] : [{ role: 'system', content: toContent(kept.map(asPart)) }];
}

/** The protocol's rule: consecutive turns of one role are one turn. */
function combineTurns(messages: readonly WireMessage[]): Turn[] {
  const turns: { role: Turn['role']; blocks: PlacedBlock[] }[] = [];
  messages.forEach((message, index) => {
    const last = turns.at(-1);
    const blocks = placeBlocks(message, `messages[${index}].content`);
    if (last?.role === message.role) last.blocks.push(...blocks);
    else turns.push({ role: message.role, blocks });
  });
  return turns;
}

function placeBlocks({ content }: WireMessage, at: string): PlacedBlock[] {
  if (typeof content === 'string') return [{ block: { type: 'text', text: content }, at }];
  return content.map((block, index) => ({ block, at: `${at}[${index}]` }));
}

function toTurnMessages(turn: Turn, { warnings, withTools }: Reading): Message[] {
  switch (turn.role) {
    case 'system':
      return toSystemMessages(textsOf(turn.blocks, warnings));
    case 'user':
      return toUserMessages(turn.blocks, warnings);
    case 'assistant':
      if (!withTools) return [toAssistantMessage(turn.blocks, warnings)];
      return splitTurns(turn.blocks).flatMap(({ said, serverCalls, results }) => [
        toAssistantMessage(said, warnings, serverCalls),
        ...results,
      ]);
    default:
      return turn.role satisfies never;
  }
}

/**
 * Tool results come first, whatever was written between them: templates want the results right after the calls, and the
 * protocol asks its clients to write them so.
 */
function toUserMessages(blocks: readonly PlacedBlock[], warnings: Warnings): Message[] {
  const results = blocks.flatMap(({ block, at }) =>
    block.type === 'tool_result' ? [toToolMessage(block, at, warnings)] : [],
  );
  const others = blocks.filter(({ block }) => block.type !== 'tool_result');
  if (others.length === 0 && results.length > 0) return results;
  return [...results, { role: 'user', content: toContent(partsOf(others, warnings)) }];
}

function toAssistantMessage(
  blocks: readonly PlacedBlock[],
  warnings: Warnings,
  serverCalls: ReadonlyMap<ContentBlock, ToolCall> = new Map(),
): Message {
  const thoughts = blocks.flatMap(({ block }) =>
    block.type === 'thinking' ? [block.thinking || (unpackReasoning(block.signature ?? '') ?? '')] : [],
  );
  const toolCalls = blocks.flatMap(({ block }) =>
    block.type === 'tool_use' ? [toToolCall(block)] : (serverCalls.get(block) ?? []),
  );
  const others = blocks.filter(
    ({ block }) => block.type !== 'thinking' && block.type !== 'tool_use' && !serverCalls.has(block),
  );
  const parts = partsOf(others, warnings);
  return defined({
    role: 'assistant' as const,
    content: parts.length === 0 ? null : toContent(parts),
    reasoning: thoughts.join('\n') || undefined,
    toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
  });
}

function toToolCall({ id, name, input }: Extract<ContentBlock, { type: 'tool_use' }>): ToolCall {
  const malformed = isJsonObject(input) && Object.keys(input).length === 1 ? input[invalidJsonKey] : undefined;
  return { id, name, arguments: typeof malformed === 'string' ? malformed : JSON.stringify(input ?? {}) };
}

function toToolMessage({ tool_use_id, content, is_error }: ToolResultBlock, at: string, warnings: Warnings): Message {
  const parts =
    typeof content === 'string'
      ? [asPart(content)]
      : (content ?? []).map((block, index) => resultPart(block, `${at}.content[${index}]`, warnings));
  return { role: 'tool', content: toContent(is_error ? markError(parts) : parts), toolCallId: tool_use_id };
}

/** The templates know no failed results, so the text has to say it, unless it does already. */
function markError(parts: readonly ContentPart[]): readonly ContentPart[] {
  const [first, ...rest] = parts;
  if (first?.type !== 'text') return [asPart('Error: '), ...parts];
  return /^[\s<[(*]*(tool_use_)?error/i.test(first.text) ? parts : [asPart(`Error: ${first.text}`), ...rest];
}

/** Agents put screenshots and the like into results: a note keeps the conversation going, where an error would end it. */
function resultPart(block: PlainBlock, at: string, warnings: Warnings): ContentPart {
  const text = readableText(block);
  if (text !== undefined) return asPart(text);
  if (block.type === 'image') return imagePart(block, at);
  const name = block.type === 'unknown' ? block.name : block.type;
  warnings.add(`${name} blocks in tool results were replaced by a note: this server reads text and images only`);
  return asPart(`[${name} left out: only text and images can be read here]`);
}

function textsOf(blocks: readonly PlacedBlock[], warnings: Warnings): string[] {
  return partsOf(blocks, warnings).map((part) => {
    if (part.type === 'text') return part.text;
    throw unreadable('image', part.param ?? 'messages');
  });
}

function partsOf(blocks: readonly PlacedBlock[], warnings: Warnings): ContentPart[] {
  return blocks.flatMap(({ block, at }) => {
    switch (block.type) {
      case 'image':
        return [imagePart(block, at)];
      case 'document':
      case 'text':
      case 'search_result':
      case 'tool_reference': {
        const text = readableText(block);
        if (text === undefined) throw unreadable(block.type, at);
        return [asPart(text)];
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

function imagePart({ source }: Extract<PlainBlock, { type: 'image' }>, at: string): ImagePart {
  const param = `${at}.source`;
  if (source.type === 'base64' && source.data !== undefined) return imageOf(source.data, `${param}.data`);
  if (source.type === 'url' && source.url !== undefined) return imageAt(source.url, `${param}.url`);
  throw new ServeError(
    'invalid_request',
    `\`${param}\` is of type ${JSON.stringify(source.type)}: send the image as base64, or by its url.`,
    { param },
  );
}

function asPart(text: string): ContentPart {
  return { type: 'text', text };
}

function unreadable(type: string, at: string): ServeError {
  return new ServeError(
    'invalid_request',
    `\`${at}\` is of type "${type}", but here text alone can be read. Send the text of it, or leave it out.`,
    { param: at },
  );
}

/**
 * One text is a plain string however it was written: clients move `cache_control` from turn to turn and with it switch
 * between the two spellings, which must not change the prompt.
 */
function toContent(parts: readonly ContentPart[]): Content {
  const [first = asPart('')] = parts;
  return parts.length <= 1 && first.type === 'text' ? first.text : parts;
}

/**
 * Claude Code puts a line of bookkeeping before its system prompt, as the first block or at the start of the text:
 * `x-anthropic-billing-header: cc_version=2.1.37.0d9; cc_entrypoint=cli; cch=fa690;`. It is meant for Anthropic's
 * servers, says nothing to a model, and changes with every request: left in, no prompt would share its beginning with
 * the one before. Seen in Claude Code 2.1; a newline after the line is not guaranteed, so only its `key=value;` pairs go.
 */
const attributionLine = /^\s*x-anthropic-billing-header:(?:[ \t]*[\w.-]+=[^;\s]*;?)*[ \t]*(?:\r?\n)*/;

/** The system text without its attribution line; undefined when nothing else was there. */
function withoutAttribution(text: string): string | undefined {
  const rest = text.replace(attributionLine, '');
  return rest === '' && text !== '' ? undefined : rest;
}
