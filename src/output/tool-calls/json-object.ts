import type { JsonCalls } from '../../contract/chat-format.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { MarkerScanner, Reading } from '../marker-scanner.ts';
import { isSpace, MarkerSet } from '../marker-scanner.ts';
import { type CallTools, OpenCall } from './call-reader.ts';
import { JsonText } from './json-text.ts';

const nameKeys = new Set(['name', 'tool_name', 'function_name']);
const idKeys = new Set(['id', 'tool_call_id', 'type', 'index']);
const argumentKeys = new Set(['arguments', 'parameters', 'args']);

/** The family's own keys; the usual ones of other families are understood too. */
export type ObjectKeys = JsonCalls['keys'] & {
  readonly nameIsKey?: boolean | undefined;
  /** Markers that end the object whatever is still open. */
  readonly closers?: readonly string[];
  /** An object whose first key is a parameter of this tool is the arguments of a call of it. */
  readonly bareCallOf?: string | undefined;
};

/** What a key of the object says. */
type Role = 'name' | 'arguments' | 'id' | 'unknown';

/** One call that is a JSON object; read() is false when it is none. */
export class CallObject {
  readonly #tools: CallTools;
  readonly #keys: ObjectKeys;
  readonly #closers: MarkerSet;
  readonly #scanner: MarkerScanner;
  #call: OpenCall | undefined;
  #id: string | undefined;
  /** Arguments that came before the name. */
  #early: string[] = [];
  #depth = 0;
  /** A key of calls was seen. */
  #begun = false;

  constructor(tools: CallTools, keys: ObjectKeys) {
    this.#tools = tools;
    this.#keys = keys;
    this.#closers = new MarkerSet(keys.closers ?? []);
    this.#scanner = tools.scanner;
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
      } else if (next === undefined) {
        // The output ends inside the call: what there is of its arguments stays as it is.
        return this.#call !== undefined;
      } else if (yield* this.#atCloser()) {
        this.#tools.repaired();
        return this.#end();
      } else if (!(yield* this.#member(next))) {
        return this.#broken();
      } else if (this.#depth === 0) {
        return this.#end();
      }
    }
  }

  *#atCloser(): Reading<boolean> {
    return (yield* this.#scanner.next(this.#closers)) !== undefined;
  }

  #end(): boolean {
    this.#call?.end();
    return this.#call !== undefined;
  }

  /** A call whose name is known ends here, and what could not be read stands after it; without a name it is text. */
  #broken(): boolean {
    if (!this.#call || this.#scanner.isCut) return this.#call !== undefined;
    this.#tools.repaired();
    this.#scanner.restore(this.#scanner.recorded());
    return this.#end();
  }

  *#member(next: string): Reading<boolean> {
    if (this.#call) this.#scanner.record();
    const key = yield* this.#scalar(next);
    const role = key === undefined ? 'unknown' : this.#role(key);
    if (key !== undefined && role === 'unknown' && !this.#begun && this.#isParameter(key)) {
      return yield* this.#bareArguments(key);
    }
    // An object that has something else before its name is data: it must not be held back until its end.
    if (key === undefined || (role === 'unknown' && !this.#call)) return false;
    if (this.#keys.nameIsKey && role === 'arguments' && !this.#named(key)) return false;
    if ((yield* this.#scanner.skipSpace()) !== ':') return false;
    this.#begun = true;
    this.#scanner.take(1);
    const value = yield* this.#scanner.skipSpace();
    return value !== undefined && (yield* this.#value(key, role, value));
  }

  #isParameter(key: string): boolean {
    const properties = this.#tools.tool(this.#keys.bareCallOf ?? '')?.parameters?.properties;
    return isJsonObject(properties) && Object.hasOwn(properties, key);
  }

  /** The brace and the first key are read already. */
  *#bareArguments(key: string): Reading<boolean> {
    this.#named(this.#keys.bareCallOf ?? '');
    const json = new JsonText({
      heal: true,
      stops: this.#closers.markers,
      write: this.#call?.write ?? (() => undefined),
    });
    json.read(`{${JSON.stringify(key)}`, 'open');
    yield* this.#scanner.feed(json.read);
    this.#depth = 0;
    return true;
  }

  #role(key: string): Role {
    if (this.#keys.nameIsKey && this.#tools.offered(key) !== undefined) return 'arguments';
    if (nameKeys.has(key) || key === 'function' || key === this.#keys.name) return 'name';
    if (argumentKeys.has(key) || key === this.#keys.arguments) return 'arguments';
    return idKeys.has(key) || key === this.#keys.id ? 'id' : 'unknown';
  }

  *#value(key: string, role: Role, first: string): Reading<boolean> {
    if (role === 'arguments') return yield* this.#arguments(first);
    if (role === 'name' && first === '{') {
      this.#scanner.take(1);
      this.#depth++;
      return true;
    }
    if (first === '{' || first === '[') return yield* this.#json(() => {});
    const mayBecomeOffered = role === 'name' && !this.#call ? this.#tools.mayBecomeOffered : undefined;
    const text = yield* this.#scalar(first, mayBecomeOffered);
    if (text === undefined) return false;
    if (key === this.#keys.id) this.#id = text;
    return role !== 'name' || this.#named(text);
  }

  /** False when there is no such tool. */
  #named(name: string): boolean {
    if (this.#call || name === '') return true;
    const offered = this.#tools.offered(name);
    if (offered === undefined) return false;
    this.#call = new OpenCall(this.#tools, offered, this.#id);
    this.#call.start();
    if (this.#early.length > 0) this.#call.write(this.#early.join(''));
    return true;
  }

  *#arguments(first: string): Reading<boolean> {
    const write = this.#call?.write ?? ((text: string) => this.#early.push(text));
    if (first === '{' || (first === '[' && this.#call)) return yield* this.#json(write);
    const text = yield* this.#scalar(first);
    if (text === undefined) return false;
    if (text.trim().startsWith('{')) write(text);
    else if (text !== 'null' && text !== 'None' && text !== '') return this.#noObject(first, text);
    return true;
  }

  /** Arguments that are no object: a call has them as they are, so that nothing is lost. */
  #noObject(first: string, text: string): boolean {
    if (first === '"' || first === "'") this.#call?.write(JSON.stringify(text));
    else this.#call?.write(text);
    return this.#call !== undefined;
  }

  *#json(write: (text: string) => unknown): Reading<boolean> {
    const { heal } = this.#tools;
    if (this.#call) this.#scanner.recorded();
    const value = new JsonText({ heal, stops: this.#closers.markers, write });
    yield* this.#scanner.feed(value.read);
    this.#tools.repaired(value.repairs);
    return true;
  }

  /** A string (decoded) whose beginnings `isPossible`, a number or a word; undefined when there is none. */
  *#scalar(first: string, isPossible?: (beginning: string) => boolean): Reading<string | undefined> {
    if (first === '"' || (first === "'" && this.#tools.heal))
      return yield* readString(this.#scanner, first, isPossible);
    const word = yield* readWord(this.#scanner);
    return word === '' || this.#scanner.isCut ? undefined : word;
  }
}

/** A JSON string, decoded; undefined when it does not end, or as soon as its beginning is not possible. */
function* readString(
  scanner: MarkerScanner,
  quote: string,
  isPossible: (beginning: string) => boolean = () => true,
): Reading<string | undefined> {
  let raw = '';
  let escaped = false;
  let isWrong = false;
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
      const beginning = raw + text.slice(0, at + 1);
      isWrong = !beginning.includes('\\') && !isPossible(beginning);
      if (isWrong) return { consumed: at + 1, done: true };
    }
    raw += text;
    return { consumed: text.length, done: false };
  });
  return complete && !isWrong ? decode(raw, quote) : undefined;
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

function* readWord(scanner: MarkerScanner): Reading<string> {
  let word = '';
  yield* scanner.feed((text) => {
    let end = 0;
    while (end < text.length && !isSpace(text.charAt(end)) && !'{}[],:"<'.includes(text.charAt(end))) end++;
    word += text.slice(0, end);
    return { consumed: end, done: end < text.length };
  });
  return word;
}
