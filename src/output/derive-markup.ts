import type { JsonCalls, NamedJsonCalls, ReasoningMarkers } from '../contract/chat-format.ts';
import { isJsonObject } from '../contract/json.ts';
import { type SampleTurns, sampleWords } from '../contract/sample-turns.ts';

/** What the turns of an unknown template tell about its markup. */
export interface DerivedMarkup {
  readonly reasoning: ReasoningMarkers | undefined;
  readonly toolCalls: JsonCalls | NamedJsonCalls | undefined;
}

/** Finds markers by comparing turns that differ in one thing: with and without thought, with an answer or a call. */
export function deriveMarkup(samples: SampleTurns): DerivedMarkup {
  const body = bodyCutter(samples.answer);
  const call = body(samples.call);
  return {
    reasoning: samples.thought === undefined ? undefined : deriveReasoning(samples),
    toolCalls: call === undefined ? undefined : deriveCalls(call, body(samples.calls)),
  };
}

/** Cuts away what a turn has in common with one that holds nothing but an answer. */
function bodyCutter(answer: string): (turn: string | undefined) => string | undefined {
  const at = answer.indexOf(sampleWords.answer);
  const before = answer.slice(0, at);
  const behind = answer.slice(at + sampleWords.answer.length);
  return (turn) => {
    if (!turn?.startsWith(before) || !turn.endsWith(behind) || turn.length < before.length + behind.length)
      return undefined;
    return turn.slice(before.length, turn.length - behind.length);
  };
}

function deriveReasoning({ answer, thought = '' }: SampleTurns): ReasoningMarkers | undefined {
  const begin = answer.indexOf(sampleWords.answer);
  const at = thought.indexOf(sampleWords.thought);
  const open = thought.slice(begin, at);
  const close = thought.slice(at + sampleWords.thought.length, thought.indexOf(sampleWords.answer));
  return isMarker(open) && isMarker(close) ? { open: open.trimStart(), close: close.trim() } : undefined;
}

/** `<...>`, `[...]` and the like: plain words are no markers, they would be found in any text. */
function isMarker(text: string): boolean {
  return /^\s*[<[].*[>\]]\s*$/s.test(text);
}

interface Written {
  readonly from: number;
  readonly to: number;
}

function deriveCalls(call: string, calls: string | undefined): JsonCalls | NamedJsonCalls | undefined {
  const object = findObject(call, 0, sampleWords.tool);
  if (object) return deriveJson(call, calls, object);
  const args = findObject(call, 0, sampleWords.key);
  const name = call.indexOf(sampleWords.tool);
  if (!args || name < 0 || args.from < name) return undefined;
  const open = call.slice(0, name);
  const nameEnd = call.slice(name + sampleWords.tool.length, args.from);
  const frame = deriveFrame(calls, { open, close: call.slice(args.to) }, (text, from) => {
    const at = text.indexOf(sampleWords.tool, from);
    const found = at < 0 ? undefined : findObject(text, at, sampleWords.key);
    return found && { from: at, to: found.to };
  });
  return isMarker(open) ? { syntax: 'named-json', ...frame, nameEnd } : undefined;
}

function deriveJson(call: string, calls: string | undefined, { from, to }: Written): JsonCalls | undefined {
  const value: unknown = JSON.parse(call.slice(from, to));
  const object = isJsonObject(value) ? value : {};
  const keyOf = (test: (member: unknown) => boolean) => Object.keys(object).find((key) => test(object[key]));
  const name = keyOf((member) => member === sampleWords.tool);
  const args = keyOf((member) => isJsonObject(member) && sampleWords.key in member);
  if (name === undefined || args === undefined) return undefined;
  const ends = { open: call.slice(0, from), close: call.slice(to) };
  const frame = deriveFrame(calls, ends, (text, at) => findObject(text, at, sampleWords.tool));
  const array = (frame.section?.open ?? '').trimEnd().endsWith('[');
  return { syntax: 'json', ...frame, array, keys: { name, arguments: args } };
}

/** Which markers stand around every call and which around all of them, as two calls in one turn tell. */
function deriveFrame(
  calls: string | undefined,
  { open, close }: { readonly open: string; readonly close: string },
  find: (text: string, from: number) => Written | undefined,
) {
  const first = calls === undefined ? undefined : find(calls, 0);
  const second = first && find(calls ?? '', first.to);
  if (!first || !second || calls === undefined) return { open, close, separator: '', parallel: false };
  const between = calls.slice(first.to, second.from);
  if (open.trim() !== '' && between.includes(open.trim())) {
    const opener = between.lastIndexOf(open.trim());
    const separator = between.slice(0, opener).replace(close.trimEnd(), '');
    return { open, close: close.trimEnd(), separator, parallel: true };
  }
  return { section: { open, close }, open: '', close: '', separator: between, parallel: true };
}

/** The outermost JSON object at or after `from` that contains the word. */
function findObject(text: string, from: number, word: string): Written | undefined {
  const at = text.indexOf(word, from);
  for (let begin = text.indexOf('{', from); begin >= 0 && begin < at; begin = text.indexOf('{', begin + 1)) {
    for (let end = text.indexOf('}', at); end >= 0; end = text.indexOf('}', end + 1)) {
      if (isJson(text.slice(begin, end + 1))) return { from: begin, to: end + 1 };
    }
  }
  return undefined;
}

function isJson(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    return false;
  }
}
