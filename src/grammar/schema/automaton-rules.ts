import type { CodePointRange, Expression } from '../gbnf/gbnf.ts';
import { chars, choice, empty, rule, sequence, text } from '../gbnf/gbnf.ts';
import type { Automaton, State } from '../regex/automaton.ts';
import type { RuleBook } from './rule-book.ts';

/** How text is written: inside a JSON string with its escapes, or as it is. */
export type Spelling = 'json' | 'raw';

/** How the text stands in the answer. */
export interface Writing {
  readonly spelling: Spelling;
  /** Name for its rules. */
  readonly hint: string;
  /** The marker after raw text, which it must therefore not contain. */
  readonly without?: string;
  /** Raw text that is read as a value of another type where it looks like one: numbers, `null`, brackets are left out. */
  readonly notJson?: boolean;
}

/** The texts of an automaton, one rule per state that is reached more than once. Deterministic, so quick to follow. */
export function automatonRules(book: RuleBook, automaton: Automaton, spelling: Spelling, hint: string): Expression {
  return book.forAutomaton(automaton, spelling, () => writeRules(book, automaton, spelling, hint));
}

function writeRules(book: RuleBook, automaton: Automaton, spelling: Spelling, hint: string): Expression {
  const entries = automaton.states.map(() => 0);
  for (const state of automaton.states) for (const way of state.ways) entries[way.to] = (entries[way.to] ?? 0) + 1;
  const names = new Map<number, string>();
  const unwritten: { readonly name: string; readonly index: number }[] = [];
  const write = (index: number, depth = 0): Expression => {
    const state = automaton.states[index];
    return state ? choice(...(state.accepts ? [empty] : []), ...options(state, depth)) : empty;
  };
  const options = (state: State, depth: number): Expression[] => {
    const targets = new Map<number, CodePointRange[]>();
    for (const { low, high, to } of state.ways) targets.set(to, [...(targets.get(to) ?? []), [low, high]]);
    return [...targets].map(([to, ranges]) => sequence(shared(oneOf(ranges, spelling)), follow(to, depth + 1)));
  };
  /** Classes with all their escapes are long and come in every state. */
  const shared = (each: Expression) => (each.kind === 'choice' ? book.define('characters', each) : each);
  const follow = (index: number, depth: number): Expression => {
    const state = automaton.states[index];
    if (state?.accepts && state.ways.length === 0) return empty;
    const known = names.get(index);
    if (known !== undefined) return rule(known);
    if ((entries[index] ?? 0) <= 1 && index !== 0 && depth < maxInline) return write(index, depth);
    const name = book.reserve(hint);
    names.set(index, name);
    unwritten.push({ name, index });
    return rule(name);
  };
  const first = follow(0, 0);
  for (const { name, index } of unwritten) book.fill(name, write(index));
  return first;
}

/** States that are written inside each other: counts make chains of thousands. */
const maxInline = 50;

/** One character of these ranges. */
export function oneOf(ranges: readonly CodePointRange[], spelling: Spelling): Expression {
  if (spelling === 'raw') return plainChars(ranges);
  const special = (point: number) => point < 0x20 || point === 0x22 || point === 0x5c;
  const plain: CodePointRange[] = [];
  const escapes: string[] = [];
  for (const [low, high] of ranges) {
    for (let point = low; point <= Math.min(high, 0x5c); point++)
      if (special(point)) escapes.push(JSON.stringify(String.fromCodePoint(point)).slice(2, -1));
    for (const [from, to] of plainRanges) {
      const [start, end] = [Math.max(low, from), Math.min(high, to)];
      if (start <= end) plain.push([start, end]);
    }
  }
  return choice(...(plain.length > 0 ? [plainChars(plain)] : []), ...(escapes.length > 0 ? [escaped(escapes)] : []));
}

/** What a JSON string may hold without an escape. */
export const plainRanges: readonly CodePointRange[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** `\` and one of these, spelled as JSON.stringify spells them: one letter, or `u00` and two digits. */
function escaped(escapes: readonly string[]): Expression {
  const letters = escapes.filter((each) => each.length === 1);
  const digits = (high: string) => escapes.filter((each) => each.startsWith(`u00${high}`)).map((each) => each.slice(4));
  const hex = ['0', '1']
    .filter((high) => digits(high).length > 0)
    .map((high) => sequence(text(high), letterClass(digits(high))));
  return sequence(
    text('\\'),
    choice(
      ...(letters.length > 0 ? [letterClass(letters)] : []),
      ...(hex.length > 0 ? [sequence(text('u00'), choice(...hex))] : []),
    ),
  );
}

function letterClass(letters: readonly string[]): Expression {
  return plainChars(letters.map((letter) => [letter.charCodeAt(0), letter.charCodeAt(0)] as const));
}

function plainChars(ranges: readonly CodePointRange[]): Expression {
  const [only] = ranges;
  if (ranges.length === 1 && only && only[0] === only[1]) return text(String.fromCodePoint(only[0]));
  return chars(ranges);
}
