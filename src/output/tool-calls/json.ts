import type { JsonCalls } from '../../contract/chat-format.ts';
import type { MarkerScanner, Reading } from '../marker-scanner.ts';
import { isSpace, MarkerSet } from '../marker-scanner.ts';
import { type CallSyntax, type CallTools, OpenCall } from './call-reader.ts';
import { JsonText } from './json-text.ts';

const nameKeys = new Set(['name', 'tool_name', 'function_name']);
const argumentKeys = new Set(['arguments', 'parameters', 'args']);

/** Calls that are JSON objects between two markers, alone, one after the other, or in an array. */
export function jsonCalls(format: JsonCalls, tools: CallTools): CallSyntax {
  const opener = withoutBracket((format.section?.open ?? format.open).trim(), /(?<=[>\]])\s*\[$/);
  const closer = withoutBracket((format.section?.close ?? format.close).trim(), /^\]\s*/);
  const syntax = { format, tools, closer, closers: new MarkerSet([closer]) };
  if (opener === '') return { openers: ['{'], onlyAtStart: true, read: () => readCalls(syntax, '') };
  return { openers: [opener], read: () => readCalls(syntax, opener) };
}

interface JsonSyntax {
  readonly format: JsonCalls;
  readonly tools: CallTools;
  readonly closer: string;
  readonly closers: MarkerSet;
}

/** Brackets of an array are read on their own: models forget them. */
function withoutBracket(marker: string, bracket: RegExp): string {
  return marker.replace(bracket, '');
}

function* readCalls(syntax: JsonSyntax, opener: string): Reading<string> {
  const { scanner } = syntax.tools;
  let calls = 0;
  scanner.record();
  scanner.take(opener.length);
  for (;;) {
    const next = yield* scanner.skipSpace();
    if (next === '{') {
      if (calls > 0) scanner.record();
      if (!(yield* readObject(syntax))) return scanner.recorded();
      calls++;
      if (opener === '') return '';
      scanner.record();
    } else if (next !== undefined && syntax.closer !== '' && (yield* scanner.next(syntax.closers)) !== undefined) {
      if (calls === 0) return scanner.recorded() + scanner.take(syntax.closer.length);
      scanner.take(syntax.closer.length);
      scanner.recorded();
      return '';
    } else if (next === ']' && syntax.closer === '' && calls > 0) {
      scanner.take(1);
      scanner.recorded();
      return '';
    } else if (next === '[' || next === ',' || next === ']' || (next === '}' && calls > 0)) {
      if (next === '}') syntax.tools.repaired();
      scanner.take(1);
    } else {
      const text = scanner.recorded();
      if (calls === 0) return text;
      // Only separators were read since the last call: its closing marker was forgotten.
      if (syntax.closer !== '') syntax.tools.repaired();
      return '';
    }
  }
}

/** One call object; false when it is none. */
function* readObject(syntax: JsonSyntax): Reading<boolean> {
  const reader = new CallObject(syntax);
  return yield* reader.read();
}

class CallObject {
  readonly #syntax: JsonSyntax;
  readonly #scanner: MarkerScanner;
  #call: OpenCall | undefined;
  #id: string | undefined;
  /** Arguments that came before the name. */
  #early: string[] = [];
  #depth = 0;

  constructor(syntax: JsonSyntax) {
    this.#syntax = syntax;
    this.#scanner = syntax.tools.scanner;
  }

  *read(): Reading<boolean> {
    for (;;) {
      const next = yield* this.#scanner.skipSpace();
      if (next === '{' && this.#depth === 0) {
        this.#depth++;
        this.#scanner.take(1);
      } else if (next === ',') {
        this.#scanner.take(1);
      } else if (next === '}') {
        this.#scanner.take(1);
        if (--this.#depth === 0) return this.#end();
      } else if (next === undefined || (yield* this.#atCloser())) {
        if (this.#call && next !== undefined) this.#syntax.tools.repaired();
        return this.#end();
      } else if (!(yield* this.#member(next))) {
        return this.#broken();
      }
    }
  }

  *#atCloser(): Reading<boolean> {
    return this.#syntax.closer !== '' && (yield* this.#scanner.next(this.#syntax.closers)) !== undefined;
  }

  #end(): boolean {
    if (!this.#call) return false;
    if (this.#early.length > 0) this.#call.write(this.#early.join(''));
    this.#call.end();
    return true;
  }

  /** A call that is already shown ends here; one that is not is text. */
  #broken(): boolean {
    if (this.#syntax.tools.writer.open !== 'tool-call') return false;
    this.#syntax.tools.repaired();
    return this.#end();
  }

  *#member(next: string): Reading<boolean> {
    const key = yield* this.#scalar(next);
    if (key === undefined || (yield* this.#scanner.skipSpace()) !== ':') return false;
    this.#scanner.take(1);
    const value = yield* this.#scanner.skipSpace();
    if (value === undefined) return this.#call !== undefined;
    if (this.#syntax.format.nameIsKey) return this.#named(key) && (yield* this.#arguments(value));
    if (argumentKeys.has(key) || key === this.#syntax.format.keys.arguments) return yield* this.#arguments(value);
    if (key === 'function' && value === '{') {
      this.#scanner.take(1);
      this.#depth++;
      return true;
    }
    return yield* this.#other(key, value);
  }

  *#other(key: string, value: string): Reading<boolean> {
    if (value === '{' || value === '[') return yield* this.#json(() => {});
    const text = yield* this.#scalar(value);
    if (text === undefined) return false;
    if (nameKeys.has(key) || key === 'function' || key === this.#syntax.format.keys.name) return this.#named(text);
    if (key === this.#syntax.format.keys.id) this.#id = text;
    return true;
  }

  #named(name: string): boolean {
    if (this.#call) return true;
    const offered = this.#syntax.tools.offered(name);
    if (offered === undefined) return false;
    this.#call = new OpenCall(this.#syntax.tools, offered, this.#id);
    return true;
  }

  *#arguments(first: string): Reading<boolean> {
    const write = this.#call?.write ?? ((text: string) => void this.#early.push(text));
    if (first === '{') return yield* this.#json(write);
    const text = yield* this.#scalar(first);
    if (text === undefined) return false;
    if (text.trim().startsWith('{')) write(text);
    else if (text !== 'null' && text !== 'None' && text !== '') return false;
    return true;
  }

  *#json(write: (text: string) => void): Reading<boolean> {
    const { heal } = this.#syntax.tools;
    const value = new JsonText({ heal, stop: this.#syntax.closer, write });
    yield* this.#scanner.feed((text, ended) => value.read(text, ended));
    this.#syntax.tools.repaired(value.repairs);
    return true;
  }

  /** A string (decoded), a number or a word; undefined when there is none. */
  *#scalar(first: string): Reading<string | undefined> {
    if (first === '"' || (first === "'" && this.#syntax.tools.heal)) return yield* readString(this.#scanner, first);
    return yield* readWord(this.#scanner);
  }
}

/** A JSON string, decoded; undefined when it does not end. */
export function* readString(scanner: MarkerScanner, quote: string): Reading<string | undefined> {
  let raw = '';
  let escaped = false;
  scanner.take(1);
  const complete = yield* scanner.feed((text) => {
    for (let at = 0; at < text.length; at++) {
      const character = text.charAt(at);
      if (escaped) escaped = false;
      else if (character === '\\') escaped = true;
      else if (character === quote) {
        raw += text.slice(0, at);
        return { consumed: at + 1, done: true };
      }
    }
    raw += text;
    return { consumed: text.length, done: false };
  });
  return complete ? decode(raw, quote) : undefined;
}

function decode(raw: string, quote: string): string {
  const escaped = quote === '"' ? raw : raw.replaceAll("\\'", "'").replaceAll('"', '\\"');
  try {
    const value: unknown = JSON.parse(`"${escaped.replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`);
    return typeof value === 'string' ? value : raw;
  } catch {
    return raw;
  }
}

function* readWord(scanner: MarkerScanner): Reading<string | undefined> {
  let word = '';
  yield* scanner.feed((text) => {
    let end = 0;
    while (end < text.length && !isSpace(text.charAt(end)) && !'{}[],:"<'.includes(text.charAt(end))) end++;
    word += text.slice(0, end);
    return { consumed: end, done: end < text.length };
  });
  return word === '' ? undefined : word;
}
