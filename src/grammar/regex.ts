import { invert, tidy } from './code-points.ts';
import type { CodePointRange } from './gbnf.ts';

/** A regular expression as `pattern` may hold one: ECMA-262 with the `u` flag, as far as it is regular. */
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
    while (this.#at < this.#chars.length && this.#char() !== '|' && this.#char() !== ')') {
      parts.push(this.#counted(this.#atom()));
    }
    return { kind: 'sequence', parts };
  }

  #counted(part: RegexNode): RegexNode {
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
    const match = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/.exec(this.#chars.slice(this.#at, this.#at + 16).join(''));
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
    if (char === '.') return { kind: 'chars', ranges: invert(lineEnds) };
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'chars', ranges: this.#class() };
    if (char === '\\') return this.#escapedAtom();
    if (char === '*' || char === '+' || char === '?') throw new UnsupportedRegex('a count without anything before it');
    return { kind: 'chars', ranges: [single(char)] };
  }

  #group(): RegexNode {
    if (this.#take('?')) {
      const kind = /^(?:P?<[A-Za-z_]\w*>|:)/.exec(this.#chars.slice(this.#at, this.#at + 80).join(''));
      if (!kind) throw new UnsupportedRegex('lookaround or flags in a group');
      this.#at += kind[0].length;
    }
    const inner = this.#choice();
    if (!this.#take(')')) throw new UnsupportedRegex('an open parenthesis');
    return inner;
  }

  #escapedAtom(): RegexNode {
    const char = this.#char();
    if (char === 'A') return this.#anchor('start');
    if (char === 'Z' || char === 'z') return this.#anchor('end');
    return { kind: 'chars', ranges: this.#escaped() };
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
        ranges.push(...low);
        continue;
      }
      this.#at++;
      const high = this.#classAtom();
      const [from, to] = [low[0]?.[0] ?? 0, high[0]?.[1] ?? 0];
      if (!isSingle(high) || to < from) throw new UnsupportedRegex('a range that ends before it begins');
      ranges.push([from, to]);
    }
    return negated ? invert(ranges) : tidy(ranges);
  }

  #classAtom(): readonly CodePointRange[] {
    const char = this.#next();
    if (char !== '\\') return [single(char)];
    if (this.#take('b')) return [[8, 8]];
    return this.#escaped();
  }

  /** Behind a backslash: a class or one character. */
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

function single(char: string): CodePointRange {
  const point = char.codePointAt(0) ?? 0;
  return [point, point];
}

function isSingle(ranges: readonly CodePointRange[]): boolean {
  return ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1];
}
