import type { JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { anyOf, chars, choice, optional, repeat, rule, sequence, text } from '../gbnf/gbnf.ts';
import type { Automaton } from '../regex/automaton.ts';
import { intersect, notContaining } from '../regex/automaton.ts';
import { parseRegex } from '../regex/regex.ts';
import { regexAutomaton } from '../regex/regex-automaton.ts';
import type { Writing } from './automaton-rules.ts';
import { automatonRules, plainRanges } from './automaton-rules.ts';
import type { RuleBook } from './rule-book.ts';

/** How values are written: JSON, or what a family makes of it. */
export interface Notation {
  readonly true: string;
  readonly false: string;
  readonly null: string;
  /** Around strings. JSON's own quote comes with JSON's escapes; inside any other the text stands as it is. */
  readonly quote: string;
  readonly quotedKeys: boolean;
}

export const jsonNotation: Notation = { true: 'true', false: 'false', null: 'null', quote: '"', quotedKeys: true };
export const pythonNotation: Notation = { ...jsonNotation, true: 'True', false: 'False', null: 'None' };

/**
 * The pieces of JSON (RFC 8259) as rules of one book. Whitespace is bounded everywhere, so that no model can idle in
 * it: none before `:` and `,`, at most one blank after `:`, at other borders nothing, a blank, or a new line with
 * indentation.
 */
export class JsonRules {
  readonly book: RuleBook;
  /** After `:`. */
  readonly blank: Expression;
  /** After `{`, `[` and `,`, and before `}` and `]`. */
  readonly gap: Expression;
  readonly digit: Expression = anyOf('0-9');

  readonly notation: Notation;

  constructor(book: RuleBook, notation = jsonNotation) {
    this.book = book;
    this.notation = notation;
    this.blank = optional(text(' '));
    const indent = repeat(anyOf('\t '), 0, 32);
    this.gap = book.define('gap', optional(choice(text(' '), sequence(text('\n'), indent))));
  }

  /** One character of a string, free to be escaped; a surrogate pair counts as one, a lone half is not offered. */
  get char(): Expression {
    return this.#once('char', () => this.#char());
  }

  #char(): Expression {
    const hex = this.book.define('hex', anyOf('0-9A-Fa-f'));
    const d = anyOf('Dd');
    const unit = choice(
      sequence(anyOf('0-9A-CE-Fa-ce-f'), hex, hex, hex),
      sequence(d, anyOf('0-7'), hex, hex),
      sequence(d, anyOf('8-9A-Ba-b'), hex, hex, text('\\u'), d, anyOf('C-Fc-f'), hex, hex),
    );
    const letters = anyOf('"\\/bfnrt');
    const escaped = sequence(text('\\'), choice(letters, sequence(text('u'), unit)));
    return this.book.define('char', choice(chars(plainRanges), escaped));
  }

  /** How the text between quotes is spelled. */
  get writing(): Pick<Writing, 'spelling' | 'without'> {
    const { quote } = this.notation;
    return quote === '"' ? { spelling: 'json' } : { spelling: 'raw', without: quote };
  }

  quoted(expression: Expression): Expression {
    return sequence(text(this.notation.quote), expression, text(this.notation.quote));
  }

  get string(): Expression {
    return this.#once('string', () => this.#string());
  }

  #string(): Expression {
    const { quote } = this.notation;
    const content =
      quote === '"' ? repeat(this.char, 0) : automatonRules(this.book, notContaining([quote]), 'raw', 'characters');
    return this.book.define('string', this.quoted(content));
  }

  /** 19 digits: what 64-bit integers need. */
  get integer(): Expression {
    return this.#once('integer', () => this.#integer());
  }

  #integer(): Expression {
    return this.book.define('integer', sequence(optional(text('-')), this.#whole(18)));
  }

  /** Without a sign. Any double that a program would print between 1e-324 and 1e307; never infinite. */
  get magnitude(): Expression {
    return this.#once('magnitude', () => this.#magnitude());
  }

  #magnitude(): Expression {
    const fraction = sequence(text('.'), this.digits(1, 25));
    const exponent = choice(
      this.digits(1, 2),
      sequence(anyOf('1-2'), this.digit, this.digit),
      sequence(text('30'), anyOf('0-7')),
    );
    const small = choice(sequence(text('30'), anyOf('8-9')), sequence(text('3'), anyOf('1-2'), this.digit));
    const sign = optional(anyOf('+-'));
    const e = anyOf('Ee');
    const scientific = sequence(e, choice(sequence(sign, exponent), sequence(text('-'), small)));
    const oneDigit = sequence(this.digit, optional(fraction), scientific);
    return this.book.define('magnitude', choice(sequence(this.#whole(20), optional(fraction)), oneDigit));
  }

  get number(): Expression {
    return this.#once('number', () => this.#number());
  }

  #number(): Expression {
    return this.book.define('number', sequence(optional(text('-')), this.magnitude));
  }

  get boolean(): Expression {
    return choice(text(this.notation.true), text(this.notation.false));
  }

  get null(): Expression {
    return text(this.notation.null);
  }

  /** Any value. */
  get value(): Expression {
    return rule(this.#values().value);
  }

  get object(): Expression {
    return rule(this.#values().object);
  }

  get array(): Expression {
    return rule(this.#values().array);
  }

  #once(name: string, make: () => Expression): Expression {
    const known = this.#made.get(name) ?? make();
    this.#made.set(name, known);
    return known;
  }

  digits(min: number, max: number): Expression {
    return this.book.define('digits', repeat(this.digit, min, max));
  }

  /** A fixed value, with room for whitespace inside. JSON strings are spelled as JSON.stringify spells them. */
  literal(value: JsonValue): Expression {
    if (Array.isArray(value))
      return this.enclosed(
        '[',
        value.map((each) => this.literal(each)),
        ']',
      );
    if (typeof value === 'string') return this.quote(value);
    if (typeof value === 'boolean') return text(value ? this.notation.true : this.notation.false);
    if (!isJsonObject(value)) return value === null ? this.null : text(JSON.stringify(value));
    const members = Object.entries(value).flatMap(([key, each]) =>
      each === undefined ? [] : [sequence(this.key(key), this.literal(each))],
    );
    return this.enclosed('{', members, '}');
  }

  quote(value: string): Expression {
    const { quote } = this.notation;
    return text(quote === '"' ? JSON.stringify(value) : quote + value + quote);
  }

  /** `"name": ` */
  key(name: string): Expression {
    return sequence(text(this.keyText(name)), this.blank);
  }

  /** `"name":` */
  keyText(name: string): string {
    const { quote, quotedKeys } = this.notation;
    if (!quotedKeys) return `${name}:`;
    return `${quote === '"' ? JSON.stringify(name) : quote + name + quote}:`;
  }

  /** Any key, or one of an automaton's. */
  keyOf(names: Automaton | undefined): Expression {
    const { quotedKeys } = this.notation;
    if (quotedKeys && !names) return sequence(this.string, text(':'), this.blank);
    const plain = names && quotedKeys ? names : bareKeys(names);
    const written = automatonRules(this.book, plain, quotedKeys ? this.writing.spelling : 'raw', 'name');
    return sequence(quotedKeys ? this.quoted(written) : written, text(':'), this.blank);
  }

  enclosed(open: string, items: readonly Expression[], close: string): Expression {
    const inner = items.map((item, index) => (index === 0 ? item : sequence(text(','), this.gap, item)));
    return items.length === 0
      ? sequence(text(open), this.gap, text(close))
      : sequence(text(open), this.gap, ...inner, this.gap, text(close));
  }

  #whole(further: number): Expression {
    return choice(text('0'), sequence(anyOf('1-9'), this.digits(0, further)));
  }

  #made = new Map<string, Expression>();
  #known: { value: string; object: string; array: string } | undefined;

  #values(): { value: string; object: string; array: string } {
    if (this.#known) return this.#known;
    const { book, gap } = this;
    const names = { value: book.reserve('value'), object: book.reserve('object'), array: book.reserve('array') };
    this.#known = names;
    const list = (open: string, item: Expression, close: string) =>
      sequence(text(open), gap, optional(sequence(item, repeat(sequence(text(','), gap, item), 0), gap)), text(close));
    book.fill(names.object, list('{', sequence(this.keyOf(undefined), rule(names.value)), '}'));
    book.fill(names.array, list('[', rule(names.value), ']'));
    book.fill(
      names.value,
      choice(rule(names.object), rule(names.array), this.string, this.number, this.boolean, this.null),
    );
    return names;
  }
}

/** Keys without quotes are words. */
function bareKeys(names: Automaton | undefined): Automaton {
  const words = regexAutomaton(parseRegex('^[A-Za-z_][A-Za-z0-9_.-]*$'), 100);
  return names ? intersect(words, names, 4_000) : words;
}
