import { ServeError } from '../../contract/errors.ts';
import type { CodePointRange, Expression, Grammar } from './gbnf.ts';
import { chars, choiceOf, repeat, rule, sequenceOf, text } from './gbnf.ts';

/** Beyond this llama.cpp refuses a count, or silently drops the upper limit: better to say so. */
const maxCount = 2000;
const maxDepth = 200;

/**
 * Raw GBNF -> rules. Follows the parser of llama.cpp (src/llama-grammar.cpp, v0.5.0), which only logs what it dislikes.
 * Throws ServeError invalid_request with line and column, both counted from 1.
 */
export function parseGrammar(source: string, param: string): Grammar {
  return new Parser(source, param).grammar();
}

class Parser {
  #source: string;
  #param: string;
  #at = 0;
  #depth = 0;
  #rules = new Map<string, Expression>();
  #references = new Map<string, number>();

  constructor(source: string, param: string) {
    this.#source = source;
    this.#param = param;
  }

  grammar(): Grammar {
    this.#space(true);
    while (this.#at < this.#source.length) this.#rule();
    for (const [name, at] of this.#references) {
      if (!this.#rules.has(name)) this.#fail(`the rule "${name}" is used here but never defined`, at);
    }
    if (!this.#rules.has('root')) this.#fail('there is no rule named "root", where every text begins', 0);
    return this.#rules;
  }

  #rule(): void {
    const start = this.#at;
    const name = this.#name();
    this.#space(false);
    if (!this.#source.startsWith('::=', this.#at)) this.#fail('expected "::=" after the rule name');
    this.#at += 3;
    this.#space(true);
    if (this.#rules.has(name)) this.#fail(`the rule "${name}" is defined twice`, start);
    this.#rules.set(name, this.#options(false));
    if (this.#at < this.#source.length && !this.#peek('\n') && !this.#peek('\r'))
      this.#fail(`unexpected ${JSON.stringify(this.#char())}; a rule ends with its line`);
    this.#space(true);
  }

  #options(nested: boolean): Expression {
    const options = [this.#sequence(nested)];
    while (this.#take('|')) {
      this.#space(true);
      options.push(this.#sequence(nested));
    }
    return choiceOf(options);
  }

  #sequence(nested: boolean): Expression {
    const parts: Expression[] = [];
    for (;;) {
      const start = this.#at;
      const count = this.#count(nested);
      if (count) {
        const last = parts.pop();
        if (!last) this.#fail('a count needs something before it', start);
        parts.push(repeat(last, count.min, count.max));
        continue;
      }
      const part = this.#part();
      if (!part) return sequenceOf(parts);
      parts.push(part);
      this.#space(nested);
    }
  }

  #part(): Expression | undefined {
    const char = this.#char();
    if (char === '"') return this.#text();
    if (char === '[') return this.#class();
    if (char === '<' || char === '!') return this.#token();
    if (char === '(') return this.#group();
    if (this.#take('.')) return { kind: 'any' };
    if (!/[A-Za-z0-9-]/.test(char)) return undefined;
    const at = this.#at;
    const name = this.#name();
    if (!this.#references.has(name)) this.#references.set(name, at);
    return rule(name);
  }

  #text(): Expression {
    const start = this.#at++;
    let value = '';
    while (!this.#take('"')) {
      if (this.#at >= this.#source.length) this.#fail('this text has no closing quote', start);
      value += String.fromCodePoint(this.#point());
    }
    return text(value);
  }

  #class(): Expression {
    const start = this.#at++;
    const negated = this.#take('^');
    const ranges: CodePointRange[] = [];
    while (!this.#take(']')) {
      if (this.#at >= this.#source.length) this.#fail('this character class has no closing bracket', start);
      const low = this.#point();
      const isRange = this.#peek('-') && this.#source[this.#at + 1] !== ']';
      if (isRange) this.#at++;
      const high = isRange ? this.#point() : low;
      if (high < low) this.#fail('this range ends before it begins');
      ranges.push([low, high]);
    }
    if (ranges.length === 0) this.#fail('this character class is empty', start);
    return chars(ranges, negated);
  }

  #token(): Expression {
    const start = this.#at;
    const match = /^(!?)<\[(\d{1,9})\]>/.exec(this.#source.slice(start, start + 16));
    if (!match) this.#fail('a token is written with its number, like <[1000]>; other spellings are not supported');
    this.#at += match[0].length;
    return { kind: 'token', id: Number(match[2]), negated: match[1] === '!' };
  }

  #group(): Expression {
    const start = this.#at++;
    if (++this.#depth > maxDepth) this.#fail(`more than ${maxDepth} parentheses inside each other`);
    this.#space(true);
    const inner = this.#options(true);
    if (!this.#take(')')) this.#fail('this parenthesis is not closed', start);
    this.#depth--;
    // A group of one sequence must stay one item for a count after it.
    return inner.kind === 'sequence' ? { kind: 'choice', options: [inner] } : inner;
  }

  #count(nested: boolean): { min: number; max: number | undefined } | undefined {
    const char = this.#char();
    const simple = { '*': { min: 0, max: undefined }, '+': { min: 1, max: undefined }, '?': { min: 0, max: 1 } }[char];
    if (!simple && char !== '{') return undefined;
    const start = this.#at;
    this.#at++;
    const count = simple ?? this.#braces(start, nested);
    this.#space(nested);
    return count;
  }

  #braces(start: number, nested: boolean): { min: number; max: number | undefined } {
    const match = /^\s*(\d{1,9})\s*(?:(,)\s*(\d{1,9})?\s*)?\}/.exec(this.#source.slice(this.#at, this.#at + 80));
    if (!match || (!nested && /[\r\n]/.test(match[0]))) this.#fail('a count is written {3}, {3,} or {3,5}', start);
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === undefined ? undefined : Number(match[3]);
    if (min > maxCount || (max ?? 0) > maxCount)
      this.#fail(`a count goes up to ${maxCount}; nest two smaller ones instead`, start);
    if (max !== undefined && max < min) this.#fail('this count ends before it begins', start);
    return { min, max };
  }

  /** One character of a text or a class, escaped or not. */
  #point(): number {
    const point = this.#source.codePointAt(this.#at) ?? 0;
    if (point !== 0x5c) {
      this.#at += point > 0xffff ? 2 : 1;
      return point;
    }
    const letter = this.#source[this.#at + 1] ?? '';
    const digits = { x: 2, u: 4, U: 8 }[letter];
    if (digits === undefined) {
      const plain = { t: 9, r: 13, n: 10, '\\': 0x5c, '"': 0x22, '[': 0x5b, ']': 0x5d, '-': 0x2d }[letter];
      if (plain === undefined) this.#fail(`unknown escape "\\${letter}"`);
      this.#at += 2;
      return plain;
    }
    const hex = this.#source.slice(this.#at + 2, this.#at + 2 + digits);
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length < digits) this.#fail(`"\\${letter}" needs ${digits} hex digits`);
    const value = Number.parseInt(hex, 16);
    if (value > 0x10ffff) this.#fail(`U+${hex} is beyond the last character, U+10FFFF`);
    this.#at += 2 + digits;
    return value;
  }

  #name(): string {
    const match = /^[A-Za-z0-9-]+/.exec(this.#source.slice(this.#at, this.#at + 200));
    if (!match) this.#fail(`expected a rule name (letters, digits, dashes), found ${JSON.stringify(this.#char())}`);
    this.#at += match[0].length;
    return match[0];
  }

  /** Blanks and comments; line ends only where they do not end a rule. */
  #space(lines: boolean): void {
    for (;;) {
      const char = this.#char();
      if (char === '#') while (this.#at < this.#source.length && !/[\r\n]/.test(this.#char())) this.#at++;
      else if (char === ' ' || char === '\t' || (lines && (char === '\r' || char === '\n'))) this.#at++;
      else return;
    }
  }

  #char(): string {
    return this.#source[this.#at] ?? '';
  }

  #peek(char: string): boolean {
    return this.#source[this.#at] === char;
  }

  #take(char: string): boolean {
    if (!this.#peek(char)) return false;
    this.#at++;
    return true;
  }

  #fail(what: string, at = this.#at): never {
    const lines = this.#source.slice(0, at).split('\n');
    const place = `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
    throw new ServeError('invalid_request', `The grammar cannot be read at ${place}: ${what}.`, { param: this.#param });
  }
}
