import type { ChatFormat } from '../contract/chat-format.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { isJsonObject } from '../contract/json.ts';
import type { TemplateShape } from './template-shape.ts';
import { callsAsText, describeTools, resultAsText, withText } from './tool-text.ts';

/** Rewrites a conversation for what the template lacks, so that nothing of it is lost. */
export function adaptConversation(
  messages: readonly JsonObject[],
  tools: readonly JsonValue[],
  shape: TemplateShape,
  format: ChatFormat,
): JsonObject[] {
  let adapted = sortResults(knownDevelopers(messages, shape));
  if (shape.toolCalls === 'none') adapted = adapted.map((message) => callsAsText(message, format));
  if (shape.toolResults === 'responses') adapted = resultsIntoTurn(adapted);
  if (shape.toolResults === 'none') adapted = resultsIntoUser(adapted);
  if (tools.length > 0 && shape.toolsVariable === undefined && format.toolCalls) {
    adapted = intoSystem(adapted, describeTools(tools, format.toolCalls));
  }
  if (!shape.secondSystem) adapted = joinFirstSystem(adapted);
  if (!shape.laterSystem) adapted = laterSystemIntoUser(adapted);
  return shape.systemRole ? adapted : systemIntoNext(adapted);
}

/** A developer whose role would be unknown, or whose text lost beside others, is a system. */
function knownDevelopers(messages: readonly JsonObject[], { developerRole }: TemplateShape): readonly JsonObject[] {
  const instructing = messages.filter(({ role }) => role === 'system' || role === 'developer');
  const isAlone = instructing.length === 1 && messages[0] === instructing[0];
  if (developerRole === 'anywhere' || (developerRole === 'first' && isAlone)) return messages;
  return messages.map((message) => (message.role === 'developer' ? { ...message, role: 'system' } : message));
}

/** Results in the order of their calls: few templates write ids, so the order is all that ties the two together. */
function sortResults(messages: readonly JsonObject[]): JsonObject[] {
  const sorted: JsonObject[] = [];
  let results: JsonObject[] = [];
  let ids: readonly JsonValue[] = [];
  const place = ({ tool_call_id: id = '' }: JsonObject) => (ids.includes(id) ? ids.indexOf(id) : ids.length);
  const flush = () => {
    sorted.push(...results.toSorted((left, right) => place(left) - place(right)));
    results = [];
  };
  for (const message of messages) {
    if (message.role === 'tool') {
      results.push(message);
      continue;
    }
    flush();
    sorted.push(message);
    ids = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isJsonObject).map(({ id }) => id ?? '') : [];
  }
  flush();
  return sorted;
}

function intoSystem(messages: readonly JsonObject[], text: string): JsonObject[] {
  const [first, ...others] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: text }, ...messages];
  return [{ ...first, content: withText(first.content ?? '', `\n${text}`) }, ...others];
}

/** Results become user text; user text after them joins it, since most templates want turns to alternate. */
function resultsIntoUser(messages: readonly JsonObject[]): JsonObject[] {
  const turns: JsonObject[] = [];
  let inResults = false;
  for (const message of messages) {
    const last = turns.at(-1);
    const isResult = message.role === 'tool';
    const turn = isResult ? resultAsText(message) : message;
    if (inResults && last && turn.role === 'user') {
      turns[turns.length - 1] = { ...last, content: joined(last.content, turn.content) };
    } else {
      turns.push(turn);
    }
    inResults = isResult || (inResults && turn.role === 'user');
  }
  return turns;
}

/** Results, and a plain answer after them, belong to the assistant message with the calls (older Gemma 4 templates). */
function resultsIntoTurn(messages: readonly JsonObject[]): JsonObject[] {
  const turns: JsonObject[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    const responses = Array.isArray(last?.tool_responses) ? last.tool_responses : [];
    if (message.role === 'tool' && last?.role === 'assistant' && last.tool_calls) {
      turns[turns.length - 1] = { ...last, tool_responses: [...responses, toolResponse(message, last)] };
    } else if (message.role === 'assistant' && last && responses.length > 0 && !message.tool_calls) {
      turns[turns.length - 1] = { ...last, content: message.content };
    } else {
      turns.push(message);
    }
  }
  return turns;
}

function toolResponse(message: JsonObject, turn: JsonObject): JsonObject {
  const calls = Array.isArray(turn.tool_calls) ? turn.tool_calls.filter(isJsonObject) : [];
  const called = calls.find(({ id }) => id === message.tool_call_id)?.function;
  const name = isJsonObject(called) ? called.name : message.name;
  return { name: name ?? '', response: parsed(message.content) };
}

function parsed(content: JsonValue | undefined): JsonValue {
  try {
    const value: unknown = JSON.parse(String(content));
    return isJsonObject(value) ? value : (content ?? '');
  } catch {
    return content ?? '';
  }
}

/** Several system messages in front become one. */
function joinFirstSystem(messages: readonly JsonObject[]): JsonObject[] {
  const count = messages.findIndex(({ role }) => role !== 'system');
  const systems = messages.slice(0, count < 0 ? messages.length : count);
  const [first, ...more] = systems;
  if (!first || more.length === 0) return [...messages];
  const content = more.reduce<JsonValue>((text, message) => joined(text, message.content, '\n\n'), first.content ?? '');
  return [{ ...first, content }, ...messages.slice(systems.length)];
}

/** A system message in the middle of a conversation is put in front of the user's next text, or becomes it. */
function laterSystemIntoUser(messages: readonly JsonObject[]): JsonObject[] {
  const turns: JsonObject[] = [];
  let begun = false;
  let waiting: JsonValue | undefined;
  for (const message of messages) {
    begun ||= message.role !== 'system';
    if (begun && message.role === 'system') {
      waiting = waiting === undefined ? message.content : joined(waiting, message.content);
    } else if (waiting !== undefined && message.role === 'user') {
      turns.push({ ...message, content: joined(waiting, message.content) });
      waiting = undefined;
    } else {
      turns.push(message);
    }
  }
  return waiting === undefined ? turns : [...turns, { role: 'user', content: waiting }];
}

/** For templates without a system role: its text goes in front of the message after it. */
function systemIntoNext(messages: readonly JsonObject[]): JsonObject[] {
  const [first, second, ...others] = messages;
  if (first?.role !== 'system') return [...messages];
  if (!second) return [{ ...first, role: 'user' }];
  return [{ ...second, content: joined(first.content, second.content) }, ...others];
}

function joined(before: JsonValue | undefined, after: JsonValue | undefined, separator = '\n'): JsonValue {
  if (typeof before === 'string' && typeof after === 'string') return `${before}${separator}${after}`;
  return [...partsOf(before), ...partsOf(after)];
}

function partsOf(content: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(content)) return content;
  return typeof content === 'string' ? [{ type: 'text', text: content }] : [];
}
