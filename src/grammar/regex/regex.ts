import { anyChar, invert, tidy } from '../gbnf/code-points.ts';
import type { CodePointRange } from '../gbnf/gbnf.ts';

/**
 * A regular expression as `pattern` may hold one: ECMA-262 with the `u` flag, as far as it is regular. Of Python and PCRE
 * the flags `i`, `s` and `x` are understood, at the beginning or anywhere (`(?i)`, `(?i:...)`), named groups and `\\A`, `\\Z`.
 */
export type RegexNode =
  | { readonly kind: 'chars'; readonly ranges: readonly CodePointRange[] }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly part: RegexNode; readonly min: number; readonly max: number | undefined }
  | { readonly kind: 'start' | 'end' };

/** What a grammar cannot say (lookaround, back references, word borders, property classes), or a syntax error. */
export class UnsupportedRegex extends Error {}

export function parseRegex(source: string): RegexNode {
  return new Parser(source).whole();
}

const maxDepth = 100;
const digits: readonly CodePointRange[] = [[0x30, 0x39]];
const word: readonly CodePointRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const blanks: readonly CodePointRange[] = [
  [0x9, 0xd],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const lineEnds: readonly CodePointRange[] = [
  [0xa, 0xa],
  [0xd, 0xd],
  [0x2028, 0x2029],
];
const shorthands: Readonly<Record<string, readonly CodePointRange[]>> = {
  d: digits,
  w: word,
  s: blanks,
  D: invert(digits),
  W: invert(word),
  S: invert(blanks),
};
const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

class Parser {
  #chars: readonly string[];
  #at = 0;
  #depth = 0;
  #flags: Flags = { anyCase: false, dotAll: false, spaced: false };
  #casesLeft = mostCases;

  constructor(source: string) {
    this.#chars = [...source];
  }

  whole(): RegexNode {
    const node = this.#choice();
    if (this.#at < this.#chars.length) throw new UnsupportedRegex('a closing parenthesis too many');
    return node;
  }

  #choice(): RegexNode {
    if (++this.#depth > maxDepth) throw new UnsupportedRegex('too many groups inside each other');
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    this.#depth--;
    const [only] = options;
    return options.length === 1 && only ? only : { kind: 'choice', options };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    this.#skipBlanks();
    while (this.#at < this.#chars.length && this.#char() !== '|' && this.#char() !== ')') {
      const part = this.#counted(this.#atom());
      if (part.kind !== 'sequence' || part.parts.length > 0) parts.push(part);
      this.#skipBlanks();
    }
    return { kind: 'sequence', parts };
  }

  /** In a spaced expression. */
  #skipBlanks(): void {
    while (this.#flags.spaced && /[\s#]/.test(this.#char())) {
      if (this.#next() === '#') while (this.#char() !== '' && this.#char() !== '\n') this.#at++;
    }
  }

  #counted(part: RegexNode): RegexNode {
    this.#skipBlanks();
    const count = this.#count();
    if (!count) return part;
    if (part.kind === 'start' || part.kind === 'end') throw new UnsupportedRegex('a count on an anchor');
    this.#take('?');
    return { kind: 'repeat', part, ...count };
  }

  #count(): { min: number; max: number | undefined } | undefined {
    if (this.#take('*')) return { min: 0, max: undefined };
    if (this.#take('+')) return { min: 1, max: undefined };
    if (this.#take('?')) return { min: 0, max: 1 };
    const match = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/.exec(this.#ahead(16));
    if (!match) return undefined;
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === undefined ? undefined : Number(match[3]);
    if (max !== undefined && max < min) throw new UnsupportedRegex('a count that ends before it begins');
    return { min, max };
  }

  #atom(): RegexNode {
    const char = this.#next();
    if (char === '^') return { kind: 'start' };
    if (char === '$') return { kind: 'end' };
    if (char === '.') return { kind: 'chars', ranges: this.#flags.dotAll ? anyChar : invert(lineEnds) };
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'chars', ranges: this.#class() };
    if (char === '\\') return this.#escapedAtom();
    if (char === '*' || char === '+' || char === '?') throw new UnsupportedRegex('a count without anything before it');
    return { kind: 'chars', ranges: this.#inCase([single(char)]) };
  }

  #group(): RegexNode {
    const flags = this.#flags;
    if (this.#take('?')) {
      const kind = /^(?:P?<[A-Za-z_]\w*>|([a-zA-Z]*(?:-[a-zA-Z]+)?)([:)]))/.exec(this.#ahead(80));
      if (!kind) throw new UnsupportedRegex('lookaround, or an unknown kind of group');
      this.#at += kind[0].length;
      this.#flags = withFlags(flags, kind[1] ?? '');
      // They hold to the end of the group around them.
      if (kind[2] === ')') return { kind: 'sequence', parts: [] };
    }
    const inner = this.#choice();
    if (!this.#take(')')) throw new UnsupportedRegex('an open parenthesis');
    this.#flags = flags;
    return inner;
  }

  #escapedAtom(): RegexNode {
    const char = this.#char();
    if (char === 'A') return this.#anchor('start');
    if (char === 'Z' || char === 'z') return this.#anchor('end');
    const ranges = this.#escaped();
    return { kind: 'chars', ranges: isSingle(ranges) ? this.#inCase(ranges) : ranges };
  }

  /** In both cases, where the flag says so. */
  #inCase(ranges: readonly CodePointRange[]): readonly CodePointRange[] {
    if (!this.#flags.anyCase) return ranges;
    for (const [low, high] of ranges) this.#casesLeft -= Math.min(high - low, mostWithCases) + 1;
    if (this.#casesLeft < 0) throw new UnsupportedRegex('too many characters to look for both cases of');
    return tidy([...ranges, ...ranges.flatMap(otherCase)]);
  }

  #ahead(length: number): string {
    return this.#chars.slice(this.#at, this.#at + length).join('');
  }

  #anchor(kind: 'start' | 'end'): RegexNode {
    this.#at++;
    return { kind };
  }

  #class(): readonly CodePointRange[] {
    const negated = this.#take('^');
    const ranges: CodePointRange[] = [];
    while (!this.#take(']')) {
      const low = this.#classAtom();
      const isRange = this.#char() === '-' && this.#chars[this.#at + 1] !== ']' && isSingle(low);
      if (!isRange) {
        ranges.push(...(isSingle(low) ? this.#inCase(low) : low));
        continue;
      }
      this.#at++;
      const high = this.#classAtom();
      const [from, to] = [low[0]?.[0] ?? 0, high[0]?.[1] ?? 0];
      if (!isSingle(high) || to < from) throw new UnsupportedRegex('a range that ends before it begins');
      ranges.push(...this.#inCase([[from, to]]));
    }
    return negated ? invert(ranges) : tidy(ranges);
  }

  #classAtom(): readonly CodePointRange[] {
    const char = this.#next();
    if (char !== '\\') return [single(char)];
    if (this.#take('b')) return [[8, 8]];
    return this.#escaped();
  }

  /** After a backslash: a class or one character. */
  #escaped(): readonly CodePointRange[] {
    const char = this.#next();
    const shorthand = shorthands[char];
    if (shorthand) return shorthand;
    const control = controls[char];
    if (control !== undefined && !/\d/.test(char === '0' ? this.#char() : '')) return [[control, control]];
    if (char === 'x') return this.#hex(2);
    if (char === 'u') return this.#take('{') ? this.#braces() : this.#hex(4);
    if (/[A-Za-z0-9]/.test(char)) throw new UnsupportedRegex(`the escape \\${char}`);
    return [single(char)];
  }

  #hex(length: number): readonly CodePointRange[] {
    const hex = this.#chars.slice(this.#at, this.#at + length).join('');
    this.#at += length;
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length < length) throw new UnsupportedRegex('a broken hexadecimal escape');
    const point = Number.parseInt(hex, 16);
    if (point >= 0xd800 && point <= 0xdfff) throw new UnsupportedRegex('half of a surrogate pair');
    return [[point, point]];
  }

  #braces(): readonly CodePointRange[] {
    const match = /^([0-9a-fA-F]{1,6})\}/.exec(this.#chars.slice(this.#at, this.#at + 7).join(''));
    const point = Number.parseInt(match?.[1] ?? 'x', 16);
    if (!match || point > 0x10ffff) throw new UnsupportedRegex('a broken hexadecimal escape');
    this.#at += match[0].length;
    return [[point, point]];
  }

  #next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new UnsupportedRegex('it ends too early');
    return char;
  }

  #char(): string {
    return this.#chars[this.#at] ?? '';
  }

  #take(char: string): boolean {
    if (this.#char() !== char) return false;
    this.#at++;
    return true;
  }
}

interface Flags {
  readonly anyCase: boolean;
  readonly dotAll: boolean;
  /** Blanks and comments are none of the expression. */
  readonly spaced: boolean;
}

/** `i`, `-s` and the like; letters that change nothing here are taken too. */
function withFlags(flags: Flags, letters: string): Flags {
  const [on = '', off = ''] = letters.split('-');
  const unknown = [...on, ...off].find((letter) => !'isxua'.includes(letter));
  if (unknown !== undefined) throw new UnsupportedRegex(`the flag ${unknown}`);
  const flag = (letter: string, before: boolean) => (before || on.includes(letter)) && !off.includes(letter);
  return { anyCase: flag('i', flags.anyCase), dotAll: flag('s', flags.dotAll), spaced: flag('x', flags.spaced) };
}

/** Longer ranges are of scripts without cases, or of all. */
const mostWithCases = 5_000;
/** Characters of one expression whose other case is looked for. */
const mostCases = 100_000;

function otherCase([low, high]: CodePointRange): CodePointRange[] {
  const found: CodePointRange[] = [];
  for (let point = low; point <= Math.min(high, low + mostWithCases); point++) {
    const char = String.fromCodePoint(point);
    for (const other of [char.toLowerCase(), char.toUpperCase()])
      if (other !== char && [...other].length === 1) found.push(single(other));
  }
  return found;
}

function single(char: string): CodePointRange {
  const point = char.codePointAt(0) ?? 0;
  return [point, point];
}

function isSingle(ranges: readonly CodePointRange[]): boolean {
  return ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1];
}
