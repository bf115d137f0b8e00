import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/**
 * What of a template's variables can make two Jinja engines differ: everything but the messages as it is, and of the
 * messages which kinds follow each other, which fields they have, and what is special about their texts. `undefined`:
 * there is something that engines print in ways of their own (white space beyond ASCII, numbers that are no safe integers).
 */
export type TraitsOf = (variables: JsonObject) => readonly string[] | undefined;

export function traitReader(template: string): TraitsOf {
  const literals = literalPattern(template);
  return ({ messages, datetime: _, date_string: __, ...others }) => {
    const traits = new Set([JSON.stringify(others)]);
    const walk = walker(traits, literals);
    let before = '^';
    for (const message of Array.isArray(messages) ? messages : []) {
      const kind = kindOf(message);
      traits.add(`${before}>${kind}`);
      before = kind;
      if (!walk(message, isJsonObject(message) ? String(message.role) : '')) return undefined;
    }
    traits.add(`${before}$`);
    return [...traits];
  };
}

function kindOf(message: JsonValue): string {
  if (!isJsonObject(message)) return typeof message;
  const fields = Object.entries(message).map(([key, value]) => `${key}:${shapeOf(value)}`);
  return `${message.role}{${fields.join()}}`;
}

function shapeOf(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${Math.min(value.length, 2)}]`;
  if (value === null || value === '') return JSON.stringify(value);
  return typeof value;
}

/** Adds the traits of a value; false: of one that is never trusted. */
function walker(traits: Set<string>, literals: RegExp | undefined) {
  function walk(value: JsonValue | undefined, path: string): boolean {
    traits.add(`${path}:${shapeOf(value)}`);
    if (typeof value === 'string') return text(value, path);
    if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0);
    if (typeof value === 'boolean') traits.add(`${path}=${value}`);
    if (Array.isArray(value)) return value.every((item) => walk(item, `${path}[]`));
    return isJsonObject(value) ? object(value, path) : true;
  }

  function object(value: JsonObject, path: string): boolean {
    const isFree = path.includes('.arguments');
    return Object.entries(value).every(([key, member]) =>
      isFree ? text(key, `${path}.key`) && walk(member, `${path}.*`) : walk(member, `${path}.${key}`),
    );
  }

  function text(value: string, path: string): boolean {
    const bits = classesOf(value);
    if (bits & beyondAscii && /(?! )[\p{Z}\u0085\ufeff]/u.test(value)) return false;
    traits.add(`${path}~${bits}${isSpace(value.at(0))}${isSpace(value.at(-1))}`);
    if (literals && bits & marks)
      for (const found of value.matchAll(literals)) traits.add(`${path}~${place(found, value)}`);
    return true;
  }

  return walk;
}

function place({ 0: literal, index }: RegExpExecArray, text: string): string {
  const isLast = index + literal.length === text.length;
  return `${index === 0 ? '^' : ''}${literal}${isLast ? '$' : ''}`;
}

const beyondAscii = 1;
const controls = 2;
const lines = 4;
/** Characters that engines may escape, or that markers are made of. */
const marks = 8;
const quotes = 16;
const apostrophes = 32;
const backslashes = 64;

/** ASCII code -> class; letters, digits and spaces have none. */
const classes = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (character === '\n' || character === '\t') return lines;
  if (code < 32 || code === 127) return controls;
  if (character === '"') return marks | quotes;
  if (character === "'") return marks | apostrophes;
  if (character === '\\') return marks | backslashes;
  return /[\w .,]/.test(character) ? 0 : marks;
});

function isSpace(character = ''): boolean {
  return /\s/.test(character);
}

/** Which classes of characters a text has. */
function classesOf(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits |= classes[text.charCodeAt(at)] ?? beyondAscii;
  return bits;
}

/** The texts that a template may look for in those of users: its string literals but words and what is only printed. */
function literalPattern(template: string): RegExp | undefined {
  const code = (template.match(/\{[{%][\s\S]*?[%}]\}/g) ?? []).join('\n');
  const found = [...code.matchAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g)].filter(
    (literal) => !isPrinted(literal, code),
  );
  const looked = [...new Set(found.map(([literal]) => unquoted(literal)))].filter((text) => classesOf(text) & marks);
  const sorted = looked.filter((text) => text.length <= 60).sort((left, right) => right.length - left.length);
  if (sorted.length === 0) return undefined;
  return new RegExp(sorted.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

/** Whether a literal stands in a print statement or is joined to another text. */
function isPrinted({ 0: literal, index }: RegExpExecArray, code: string): boolean {
  const before = code.slice(Math.max(0, index - 8), index);
  const after = code.slice(index + literal.length, index + literal.length + 8);
  return /(?:\{\{-?|[+~])\s*$/.test(before) || /^\s*(?:[+~]|-?\}\})/.test(after);
}

function unquoted(literal: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  return literal.slice(1, -1).replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}
