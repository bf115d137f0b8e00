import { ServeError } from '../../contract/errors.ts';
import type { Expression, Grammar, RuleReference } from '../gbnf/gbnf.ts';
import { choice, empty, isEmpty, printBody, repeat, rule, sequence } from '../gbnf/gbnf.ts';
import type { Automaton } from '../regex/automaton.ts';
import { TooManyStates } from '../regex/automaton.ts';
import { PatternTests } from '../regex/pattern-test.ts';
import { UnsupportedRegex } from '../regex/regex.ts';

/** Rules under construction. Equal expressions share one rule; the whole stays within a budget of characters. */
export class RuleBook {
  readonly tests = new PatternTests();
  #rules = new Map<string, Expression>();
  #names = new Map<string, string>();
  #automata = new Map<string, Expression>();
  #automatonNumbers = new Map<Automaton, number>();
  #counts = new Map<string, number>();
  /** Rules for `count` or fewer, by rule and count: strings of many lengths share nearly all of them. */
  #upTo = new Map<string, Expression>();
  #size = 0;
  #effort = 0;
  #writtenLeft = maxWrittenTogether;
  #limits: RuleBookLimits;

  constructor(limits: RuleBookLimits) {
    this.#limits = limits;
  }

  /** A rule for the expression: the one it already has, or a new one named like `hint`. */
  define(hint: string, expression: Expression): RuleReference {
    if (expression.kind === 'rule') return expression;
    const printed = printBody(expression);
    const known = this.#names.get(printed);
    if (known !== undefined) return rule(known);
    const name = this.reserve(hint);
    this.#names.set(printed, name);
    this.#set(name, expression, printed.length);
    return rule(name);
  }

  /**
   * Makes an automaton, as long as there is strength left: what clients ask for in one request costs a few tenths of a
   * second at most. undefined: it grew too large, or cannot be made; then the keyword is loosened. `failedEffort`: what an
   * attempt costs that ended at its limit.
   */
  explore(make: () => Automaton, failedEffort = 2_000): Automaton | undefined {
    if (this.#effort > maxEffort) return undefined;
    try {
      const automaton = make();
      this.#effort += automaton.effort;
      return automaton;
    } catch (error) {
      if (error instanceof UnsupportedRegex) return undefined;
      if (!(error instanceof TooManyStates)) throw error;
      this.#effort += failedEffort;
      return undefined;
    }
  }

  /** The rules that were made for the automaton before, or those that `make` makes now. */
  forAutomaton(automaton: Automaton, spelling: string, make: () => Expression): Expression {
    const key = `${spelling} ${this.#numberOf(automaton)}`;
    const known = this.#automata.get(key) ?? make();
    this.#automata.set(key, known);
    return known;
  }

  #numberOf(automaton: Automaton): number {
    const known = this.#automatonNumbers.get(automaton) ?? this.#automatonNumbers.size;
    this.#automatonNumbers.set(automaton, known);
    return known;
  }

  /** A rule for what is long: where one thing is put in front of the other, all behind it would be copied each time. */
  brief(hint: string, expression: Expression): Expression {
    return expression.kind === 'sequence' && expression.parts.length > longestCopied
      ? this.define(hint, expression)
      : expression;
  }

  /** A name to be filled later: for rules that mention themselves. */
  reserve(hint: string): string {
    const base =
      hint
        .replace(/[^A-Za-z0-9]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, 40) || 'rule';
    let name = base;
    while (this.#rules.has(name) || name === 'root') {
      const count = (this.#counts.get(base) ?? 1) + 1;
      this.#counts.set(base, count);
      name = `${base}-${count}`;
    }
    this.#rules.set(name, empty);
    return name;
  }

  fill(name: string, expression: Expression): void {
    this.#set(name, expression, printBody(expression).length);
  }

  /**
   * `part` at least `min` and at most `max` times. llama.cpp writes a count out, once per time; big counts become
   * blocks of 32 and blocks of blocks, so that a million costs some hundred rules. Up to four readings are then open at a
   * time, so `part` must be something flat: see `nestedCount`.
   */
  count(hint: string, part: Expression, min: number, max: number | undefined): Expression {
    if (Math.max(min, max ?? 0) <= block) return repeat(part, min, max);
    const one = this.define(hint, part);
    const needed = this.#exactly(hint, one, min);
    if (max === undefined || max >= unlimited) return sequence(needed, repeat(one, 0));
    return sequence(needed, this.#atMost(hint, one, max - min));
  }

  /**
   * The same for parts that may hold counts of their own: written out one by one, so that no reading is open beside the
   * one that is meant, however deep they nest. Large upper limits are left out then (`exact` is false).
   */
  nestedCount(
    hint: string,
    part: Expression,
    min: number,
    max: number | undefined,
  ): { readonly expression: Expression; readonly exact: boolean } {
    if (Math.max(min, max ?? 0) <= block) return { expression: repeat(part, min, max), exact: true };
    const one = this.define(hint, part);
    const needed = this.#exactly(hint, one, min);
    const isOpen = max === undefined || max >= unlimited;
    const further = isOpen ? 0 : max - min;
    if (isOpen || further > Math.min(maxWritten, this.#writtenLeft))
      return { expression: sequence(needed, repeat(one, 0)), exact: isOpen };
    this.#writtenLeft -= further;
    const rest = further > 0 ? this.define(`${hint}-up`, repeat(one, 0, further)) : empty;
    return { expression: sequence(needed, rest), exact: true };
  }

  /** Characters that may still be written. */
  get room(): number {
    return this.#limits.characters - this.#size;
  }

  /** Tries something; when it throws a ServeError, the rules it has added are taken back. */
  attempt<Value>(make: () => Value): Value | ServeError {
    const count = this.#rules.size;
    const size = this.#size;
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ServeError)) throw error;
      for (const name of [...this.#rules.keys()].slice(count)) this.#rules.delete(name);
      for (const [printed, name] of [...this.#names]) if (!this.#rules.has(name)) this.#names.delete(printed);
      this.#automata.clear();
      this.#upTo.clear();
      this.#size = size;
      return error;
    }
  }

  /** All rules that `root` needs. */
  grammar(root: Expression): Grammar {
    const used = new Map<string, Expression>([['root', root]]);
    const todo = [root];
    for (let each = todo.pop(); each; each = todo.pop()) {
      if (each.kind === 'rule') {
        if (used.has(each.name)) continue;
        const body = this.#rules.get(each.name) ?? empty;
        used.set(each.name, body);
        todo.push(body);
      } else if (each.kind === 'sequence') for (const part of each.parts) todo.push(part);
      else if (each.kind === 'choice') for (const option of each.options) todo.push(option);
      else if (each.kind === 'repeat') todo.push(each.part);
    }
    return used;
  }

  #set(name: string, expression: Expression, length: number): void {
    this.#size += name.length + length;
    if (this.#size > this.#limits.characters)
      throw new ServeError('invalid_request', this.#limits.message, { param: this.#limits.param });
    this.#rules.set(name, expression);
  }

  #exactly(hint: string, part: Expression, count: number): Expression {
    const parts: Expression[] = [];
    let size = block ** maxLevel;
    for (let rest = count, level = maxLevel; rest > 0; level--, size /= block) {
      const times = Math.floor(rest / size);
      if (times > 0) parts.push(repeat(this.#block(hint, part, level), times, times));
      rest -= times * size;
    }
    return sequence(...parts);
  }

  /** Whole blocks first, then what is left of the next one: `B(k) ::= block B(k-1) | less than a block`. */
  #atMost(hint: string, part: RuleReference, count: number, level = maxLevel): Expression {
    const size = block ** level;
    if (level === 0) return repeat(part, 0, count);
    if (count < size) return this.#atMost(hint, part, count, level - 1);
    const key = `${part.name} ${count}`;
    const known = this.#upTo.get(key);
    if (known) return known;
    const less = this.#define(hint, this.#atMost(hint, part, size - 1, level - 1));
    const rest = this.#define(hint, this.#atMost(hint, part, count - size, level));
    const made = this.#define(hint, choice(sequence(this.#block(hint, part, level), rest), less));
    this.#upTo.set(key, made);
    return made;
  }

  #block(hint: string, part: Expression, level: number): Expression {
    if (level === 0) return part;
    return this.define(`${hint}-${block ** level}`, repeat(this.#block(hint, part, level - 1), block, block));
  }

  #define(hint: string, expression: Expression): Expression {
    return isEmpty(expression) ? expression : this.define(`${hint}-up`, expression);
  }
}

export interface RuleBookLimits {
  readonly characters: number;
  /** The sentence for whoever exceeds them. */
  readonly message: string;
  readonly param: string;
}

/** Parts of a sequence that is written where it is used. */
const longestCopied = 200;
/** States looked at, over all patterns of a request. */
const maxEffort = 10_000;
/** Counts that are written out one by one, and all of a request together: so many rules of llama.cpp's. */
const maxWritten = 1_000;
const maxWrittenTogether = 20_000;
const block = 32;
const maxLevel = 3;
/** More than any context holds: as good as no limit. */
const unlimited = block ** (maxLevel + 1);
