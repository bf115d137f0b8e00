import type { Automaton } from './automaton.ts';
import { complement, intersect, isNothing, lengths, notContaining } from './automaton.ts';
import { anyChar } from './code-points.ts';
import { formatNamed } from './formats.ts';
import type { Expression } from './gbnf.ts';
import { choice, empty, repeat, sequence } from './gbnf.ts';
import type { JsonRules } from './json.ts';
import type { RegexNode } from './regex.ts';
import { parseRegex, UnsupportedRegex } from './regex.ts';
import { regexAutomaton } from './regex-automaton.ts';
import type { RuleBook } from './rule-book.ts';
import type { Writing } from './text-rules.ts';
import { automatonRules, oneOf } from './text-rules.ts';

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
  readonly loosened: readonly ('pattern' | 'format' | 'minLength' | 'maxLength')[];
}

/** Beyond this an automaton is explored no further. */
const maxExplored = 3_000;
/** An automaton of more states becomes too large a grammar; then the pattern is written the way it reads. */
const maxStates = 400;

type Keyword = StringRules['loosened'][number];

/** The characters of a string, without its quotes. */
export function stringRules(json: JsonRules, limits: StringLimits, writing: Writing): StringRules {
  const { min, max } = limits;
  if (max !== undefined && max < min) return { expression: undefined, loosened: [] };
  const loosened = new Set<Keyword>();
  const { automaton, tooLarge } = conditions(json.book, limits, { ...writing, loosened });
  if (automaton && isNothing(automaton)) return { expression: undefined, loosened: [] };
  const [alone] = tooLarge;
  if (alone && tooLarge.length === 1 && !automaton && min === 0 && max === undefined) {
    const expression = asItReads(json, alone, writing);
    if (expression) return { expression, loosened: [...loosened] };
  }
  if (tooLarge.length > 0) loosened.add('pattern');
  const expression = automaton ? measured(json, automaton, limits, { writing, loosened }) : free(json, limits, writing);
  return { expression, loosened: [...loosened] };
}

/** Everything but the length as one automaton; expressions that are too large for one are handed back. */
function conditions(
  book: RuleBook,
  { patterns, formats: names }: StringLimits,
  { without, notJson, loosened }: Pick<Writing, 'without' | 'notJson'> & { readonly loosened: Set<Keyword> },
) {
  const wanted = [
    ...patterns.map((pattern) => ({ ...understood(book, pattern), keyword: 'pattern' as const })),
    ...names.flatMap((name) => {
      const automaton = formatNamed(name)?.automaton;
      return automaton ? [{ node: undefined, automaton, keyword: 'format' as const }] : [];
    }),
  ];
  let automaton = without === undefined ? undefined : textWithout(without, notJson === true);
  const tooLarge: RegexNode[] = [];
  for (const { node, automaton: next, keyword } of wanted) {
    if (node && !next) tooLarge.push(node);
    const known = automaton;
    const both = next && (known ? book.explore(() => intersect(known, next, maxExplored)) : next);
    if (both) automaton = both;
    else if (next || !node) loosened.add(keyword);
  }
  return { automaton, tooLarge };
}

function understood(
  book: RuleBook,
  pattern: string,
): {
  readonly node: RegexNode | undefined;
  readonly automaton: Automaton | undefined;
} {
  const node = readable(pattern);
  return { node, automaton: node && book.explore(() => regexAutomaton(node, maxExplored)) };
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
  { min, max, patterns }: StringLimits,
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
  const [pattern] = patterns;
  const node = exact === automaton && patterns.length === 1 && pattern !== undefined && readable(pattern);
  const short =
    exact.states.length > maxStates && node && writing.without === undefined && asItReads(json, node, writing);
  return short || automatonRules(json.book, exact, writing.spelling, writing.hint);
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

/** The expression part by part: small even with big counts, but several readings are open at a time. */
function asItReads(json: JsonRules, node: RegexNode, { spelling, hint }: Writing): Expression | undefined {
  const parts = node.kind === 'sequence' ? node.parts : [node];
  const starts = parts[0]?.kind === 'start';
  const ends = parts.at(-1)?.kind === 'end';
  const inner = parts.slice(starts ? 1 : 0, ends ? -1 : undefined);
  const anything = repeat(json.book.define('any', oneOf(anyChar, spelling)), 0);
  const write = (each: RegexNode): Expression | undefined => {
    switch (each.kind) {
      case 'chars':
        return each.ranges.length === 0 ? undefined : oneOf(each.ranges, spelling);
      case 'start':
      case 'end':
        return undefined;
      case 'sequence':
        return all(each.parts, (written) => sequence(...written));
      case 'choice':
        return all(each.options, (written) => json.book.define(hint, choice(...written)));
      case 'repeat': {
        const part = write(each.part);
        return part && json.book.count(hint, part, each.min, each.max);
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
  return all(inner, (written) => sequence(starts ? empty : anything, ...written, ends ? empty : anything));
}
