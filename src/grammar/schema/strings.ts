import { anyChar } from '../gbnf/code-points.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { choice, choiceOf, sequenceOf } from '../gbnf/gbnf.ts';
import type { Automaton } from '../regex/automaton.ts';
import { complement, intersect, isNothing, lengths, notContaining, unite } from '../regex/automaton.ts';
import type { RegexNode } from '../regex/regex.ts';
import { parseRegex, UnsupportedRegex } from '../regex/regex.ts';
import { regexAutomaton } from '../regex/regex-automaton.ts';
import { readsOneWay } from '../regex/regex-order.ts';
import type { Writing } from './automaton-rules.ts';
import { automatonRules, oneOf } from './automaton-rules.ts';
import { formatNamed } from './formats.ts';
import type { JsonRules } from './json-rules.ts';
import type { RuleBook } from './rule-book.ts';

/** What a schema asks of a string. Lengths in characters (code points). */
export interface StringLimits {
  readonly min: number;
  readonly max: number | undefined;
  readonly patterns: readonly string[];
  /** Names of formats; unknown ones ask nothing. */
  readonly formats: readonly string[];
}

export interface StringRules {
  /** undefined: no text fits. */
  readonly expression: Expression | undefined;
  /** What the expression does not ensure. */
  readonly loosened: readonly ('pattern' | 'format' | 'minLength' | 'maxLength' | 'anyOf')[];
}

/** Beyond this an automaton is explored no further. */
const maxExplored = 3_000;
/** An automaton of more states becomes a large grammar; a shorter way is looked for first. */
const maxStates = 400;
/** Of a grammar, about. */
const charactersOfState = 40;

type Keyword = StringRules['loosened'][number];

/** The characters of a string, without its quotes. */
function stringRules(json: JsonRules, limits: StringLimits, writing: Writing): StringRules {
  const { min, max } = limits;
  if (max !== undefined && max < min) return { expression: undefined, loosened: [] };
  const short = shortPattern(json, limits, writing);
  if (short) return { expression: short, loosened: [] };
  const loosened = new Set<Keyword>();
  const automaton = conditions(json.book, limits, { ...writing, loosened });
  if (automaton && isNothing(automaton)) return { expression: undefined, loosened: [] };
  const expression = automaton ? measured(json, automaton, limits, { writing, loosened }) : free(json, limits, writing);
  return { expression, loosened: [...loosened] };
}

/** So many strings are read side by side. */
const maxSideBySide = 4;

/** The characters of a string that fits one of these. */
export function stringUnion(json: JsonRules, all: readonly StringLimits[], writing: Writing): StringRules {
  const several = [...new Map(all.map((each) => [JSON.stringify(each), each] as const)).values()];
  const [only, ...others] = several;
  if (only && others.length === 0) return stringRules(json, only, writing);
  if (several.length <= maxSideBySide) {
    const written = several.map((limits) => stringRules(json, limits, writing));
    const possible = written.flatMap(({ expression }) => expression ?? []);
    return {
      expression: possible.length === 0 ? undefined : choice(...possible),
      loosened: [...new Set(written.flatMap(({ loosened }) => loosened))],
    };
  }
  const automaton = together(json.book, several, writing);
  if (automaton && isNothing(automaton)) return { expression: undefined, loosened: [] };
  if (automaton)
    return { expression: automatonRules(json.book, automaton, writing.spelling, writing.hint), loosened: [] };
  const maxima = several.map(({ max }) => max ?? Number.POSITIVE_INFINITY);
  const max = Math.max(...maxima);
  const around = {
    min: Math.min(...several.map(({ min }) => min)),
    max: Number.isFinite(max) ? max : undefined,
    patterns: [],
    formats: [],
  };
  const { expression, loosened } = stringRules(json, around, writing);
  return { expression, loosened: [...loosened, 'anyOf'] };
}

/** All texts of all of them; undefined: too many states. */
function together(book: RuleBook, all: readonly StringLimits[], writing: Writing): Automaton | undefined {
  let found: Automaton | undefined;
  for (const limits of all) {
    const loosened = new Set<Keyword>();
    const texts = conditions(book, limits, { ...writing, loosened });
    const { min, max } = limits;
    const isLong = Math.max(min, max ?? 0) > maxStates;
    const fitting = isLong ? undefined : book.explore(() => lengths(min, max, maxStates + 2));
    const one = texts && fitting ? book.explore(() => intersect(texts, fitting, maxExplored)) : (texts ?? fitting);
    if (!one || isLong || loosened.size > 0) return undefined;
    const known = found;
    found = known ? book.explore(() => unite(known, one, maxExplored)) : one;
    if (!found || found.states.length > maxStates) return undefined;
  }
  return found;
}

/** A pattern alone whose automaton would be large, where it can be written as it reads. */
function shortPattern(json: JsonRules, limits: StringLimits, writing: Writing): Expression | undefined {
  const { min, max, patterns, formats: names } = limits;
  const [pattern, ...others] = patterns;
  const isAlone = others.length === 0 && min === 0 && max === undefined && writing.without === undefined;
  if (pattern === undefined || !isAlone || names.some((name) => formatNamed(name))) return undefined;
  const node = readable(pattern);
  // Of an expression that reads one way, the automaton has a state for each place.
  const isLarge = node !== undefined && placesOf(node) > maxStates;
  return isLarge && readsOneWay(wholeText(node)) ? asItReads(json, node, writing) : undefined;
}

/** Places for a character, with counts written out. */
function placesOf(node: RegexNode): number {
  switch (node.kind) {
    case 'sequence':
      return sum(node.parts.map(placesOf));
    case 'choice':
      return sum(node.options.map(placesOf));
    case 'repeat':
      return placesOf(node.part) * Math.max(node.min, node.max ?? 1);
    default:
      return 1;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Everything but the length as one automaton. */
function conditions(
  book: RuleBook,
  { patterns, formats: names }: StringLimits,
  { without, notJson, loosened }: Pick<Writing, 'without' | 'notJson'> & { readonly loosened: Set<Keyword> },
): Automaton | undefined {
  const wanted = [
    ...patterns.map((pattern) => ({ ...understood(book, pattern), keyword: 'pattern' as const })),
    ...names.flatMap((name) => {
      const automaton = formatNamed(name)?.automaton;
      return automaton ? [{ automaton, exact: true, keyword: 'format' as const }] : [];
    }),
  ];
  let automaton = without === undefined ? undefined : textWithout(without, notJson === true);
  for (const { automaton: next, exact, keyword } of wanted) {
    const known = automaton;
    const both = next && (known ? book.explore(() => intersect(known, next, maxExplored)) : next);
    if (both) automaton = both;
    if (!both || !exact) loosened.add(keyword);
  }
  return automaton;
}

/** `exact` false: of counts that make it too large only so much is kept that it stays small. */
function understood(
  book: RuleBook,
  pattern: string,
): { readonly automaton: Automaton | undefined; readonly exact: boolean } {
  const node = readable(pattern);
  if (!node) return { automaton: undefined, exact: false };
  const exact = placesOf(node) > maxExplored ? undefined : book.explore(() => regexAutomaton(node, maxExplored));
  if (exact && (exact.states.length <= maxStates || exact.states.length * charactersOfState <= book.room / 4))
    return { automaton: exact, exact: true };
  const largest = largestCount(node);
  for (const most of [64, 16, 4, 1]) {
    if (most >= largest) continue;
    const looser = book.explore(() => regexAutomaton(openCounts(node, most), maxStates), maxStates);
    if (looser) return { automaton: looser, exact: false };
  }
  return { automaton: undefined, exact: false };
}

function largestCount(node: RegexNode): number {
  switch (node.kind) {
    case 'sequence':
      return largestOf(node.parts.map(largestCount));
    case 'choice':
      return largestOf(node.options.map(largestCount));
    case 'repeat':
      return Math.max(node.min, node.max ?? 0, largestCount(node.part));
    default:
      return 0;
  }
}

function largestOf(numbers: readonly number[]): number {
  return numbers.reduce((most, each) => Math.max(most, each), 0);
}

/** The same with no upper limit for counts beyond `most`: all its texts, and longer ones. */
function openCounts(node: RegexNode, most: number): RegexNode {
  switch (node.kind) {
    case 'sequence':
      return { ...node, parts: node.parts.map((part) => openCounts(part, most)) };
    case 'choice':
      return { ...node, options: node.options.map((option) => openCounts(option, most)) };
    case 'repeat': {
      const part = openCounts(node.part, most);
      const isShort = Math.max(node.min, node.max ?? 0) <= most;
      return isShort ? { ...node, part } : { ...node, part, min: Math.min(node.min, most), max: undefined };
    }
    default:
      return node;
  }
}

const textAutomata = new Map<string, Automaton>();

/** Kept for good: the markers are those of the families. */
function textWithout(marker: string, notJson: boolean): Automaton {
  const key = `${notJson} ${marker}`;
  const plain = () => notContaining([marker]);
  const known = textAutomata.get(key) ?? (notJson ? intersect(plain(), noJsonValue(), maxExplored) : plain());
  textAutomata.set(key, known);
  return known;
}

function noJsonValue(): Automaton {
  const values = '[{\\[][^]*|-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null|True|False|None';
  return complement(regexAutomaton(parseRegex(`^\\s*(?:${values})\\s*$`), maxExplored));
}

/** The automaton's texts of the right length. */
function measured(
  json: JsonRules,
  automaton: Automaton,
  { min, max }: StringLimits,
  { writing, loosened }: { writing: Writing; loosened: Set<Keyword> },
): Expression | undefined {
  const single = repeatedClass(automaton);
  if (single) {
    const least = Math.max(min, single.min);
    if (max !== undefined && max < least) return undefined;
    return json.book.count(writing.hint, oneOf(single.ranges, writing.spelling), least, max);
  }
  const isMeasured = min > 0 || max !== undefined;
  const cut = isMeasured
    ? json.book.explore(() => intersect(automaton, lengths(min, max, maxExplored), maxExplored))
    : automaton;
  if (!cut && min > 0) loosened.add('minLength');
  if (!cut && max !== undefined) loosened.add('maxLength');
  const exact = cut ?? automaton;
  if (isNothing(exact)) return undefined;
  return automatonRules(json.book, exact, writing.spelling, writing.hint);
}

/** Any text of the length asked for. */
function free(json: JsonRules, { min, max }: StringLimits, { spelling }: Writing): Expression {
  if (spelling === 'json') return json.book.count('char', json.char, min, max);
  return json.book.count('any', json.book.define('any', oneOf(anyChar, 'raw')), min, max);
}

function readable(pattern: string): RegexNode | undefined {
  try {
    return parseRegex(pattern);
  } catch (error) {
    if (error instanceof UnsupportedRegex) return undefined;
    throw error;
  }
}

/** `[class]*` and `[class]+` take a length for nothing. */
function repeatedClass(automaton: Automaton) {
  const [first, second] = automaton.states;
  const loop = second ?? first;
  if (!first || !loop?.accepts || automaton.states.length > 2) return undefined;
  const target = second ? 1 : 0;
  const ranges = loop.ways.map(({ low, high }) => [low, high] as const);
  const same = JSON.stringify(first.ways) === JSON.stringify(loop.ways);
  if (!same || loop.ways.length === 0 || loop.ways.some(({ to }) => to !== target)) return undefined;
  return { ranges, min: first.accepts ? 0 : 1 };
}

/** Anchors at its ends taken off; where there is none, any text may stand. */
function wholeText(node: RegexNode): RegexNode {
  const parts = node.kind === 'sequence' ? node.parts : [node];
  const starts = parts[0]?.kind === 'start';
  const ends = parts.at(-1)?.kind === 'end';
  const any: RegexNode = { kind: 'repeat', part: { kind: 'chars', ranges: anyChar }, min: 0, max: undefined };
  const bare = parts.slice(starts ? 1 : 0, ends ? -1 : undefined);
  const inner = [...(starts ? [] : [any]), ...bare, ...(ends ? [] : [any])];
  return { kind: 'sequence', parts: inner };
}

/** The expression part by part: small even with big counts. For those that read one way only. */
function asItReads(json: JsonRules, node: RegexNode, { spelling, hint }: Writing): Expression | undefined {
  const write = (each: RegexNode): Expression | undefined => {
    switch (each.kind) {
      case 'chars':
        return each.ranges.length === 0 ? undefined : oneOf(each.ranges, spelling);
      case 'start':
      case 'end':
        return undefined;
      case 'sequence':
        return all(each.parts, sequenceOf);
      case 'choice':
        return all(each.options, (written) => json.book.define(hint, choiceOf(written)));
      case 'repeat': {
        const part = write(each.part);
        if (!part || each.part.kind === 'chars') return part && json.book.count(hint, part, each.min, each.max);
        const { expression, exact } = json.book.nestedCount(hint, part, each.min, each.max);
        return exact ? expression : undefined;
      }
      default:
        return each satisfies never;
    }
  };
  const all = (nodes: readonly RegexNode[], join: (written: readonly Expression[]) => Expression) => {
    const written = nodes.map(write);
    const whole = written.filter((expression) => expression !== undefined);
    return whole.length === nodes.length ? join(whole) : undefined;
  };
  return write(wholeText(node));
}
