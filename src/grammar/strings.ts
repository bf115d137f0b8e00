import type { Automaton } from './automaton.ts';
import { intersect, isNothing, lengths, TooManyStates } from './automaton.ts';
import { anyChar } from './code-points.ts';
import { formats } from './formats.ts';
import type { Expression } from './gbnf.ts';
import { choice, empty, repeat, sequence, text } from './gbnf.ts';
import type { JsonRules } from './json.ts';
import type { RegexNode } from './regex.ts';
import { parseRegex, UnsupportedRegex } from './regex.ts';
import { regexAutomaton } from './regex-automaton.ts';
import type { Spelling } from './text-rules.ts';
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

/** The characters of a string, without quotes when `json`. */
export function stringRules(json: JsonRules, limits: StringLimits, spelling: Spelling, hint: string): StringRules {
  const { min, max } = limits;
  if (max !== undefined && max < min) return { expression: undefined, loosened: [] };
  const wanted = [
    ...limits.patterns.map((pattern) => ({ pattern, keyword: 'pattern' as const })),
    ...limits.formats.flatMap((name) => {
      const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
      return format ? [{ pattern: format.pattern, keyword: 'format' as const }] : [];
    }),
  ];
  if (wanted.length === 0) return { expression: free(json, limits, spelling, hint), loosened: [] };

  const loosened = new Set<StringRules['loosened'][number]>();
  let merged: Automaton | undefined;
  const tooLarge: RegexNode[] = [];
  for (const { pattern, keyword } of wanted) {
    try {
      const node = parseRegex(pattern);
      const next = attempt(() => regexAutomaton(node, maxExplored));
      if (!next) tooLarge.push(node);
      const both = next && (merged ? attempt(() => intersect(merged ?? next, next, maxExplored)) : next);
      if (both) merged = both;
      else if (next) loosened.add(keyword);
    } catch (error) {
      if (!(error instanceof UnsupportedRegex)) throw error;
      loosened.add(keyword);
    }
  }
  if (merged && isNothing(merged)) return { expression: undefined, loosened: [] };
  const [alone] = tooLarge;
  if (!merged && tooLarge.length === 1 && alone && min === 0 && max === undefined) {
    const expression = asItReads(json, alone, spelling, hint);
    if (expression) return { expression, loosened: [...loosened] };
  }
  if (tooLarge.length > 0) loosened.add('pattern');
  if (!merged) return { expression: free(json, limits, spelling, hint), loosened: [...loosened] };
  return measured(json, merged, limits, { spelling, hint, loosened });
}

/** Pattern and length together. */
function measured(
  json: JsonRules,
  automaton: Automaton,
  { min, max, patterns }: StringLimits,
  { spelling, hint, loosened }: { spelling: Spelling; hint: string; loosened: Set<StringRules['loosened'][number]> },
): StringRules {
  const single = repeatedClass(automaton);
  if (single) {
    const least = Math.max(min, single.min);
    const expression =
      max !== undefined && max < least ? undefined : json.book.count(hint, oneOf(single.ranges, spelling), least, max);
    return { expression, loosened: [...loosened] };
  }
  let exact = automaton;
  if (min > 0 || max !== undefined) {
    const cut = attempt(() => intersect(automaton, lengths(min, max, maxExplored), maxExplored));
    if (cut) exact = cut;
    else {
      if (min > 0) loosened.add('minLength');
      if (max !== undefined) loosened.add('maxLength');
    }
  }
  if (isNothing(exact)) return { expression: undefined, loosened: [] };
  if (exact.states.length <= maxStates)
    return { expression: automatonRules(json.book, exact, spelling, hint), loosened: [...loosened] };
  const [pattern] = patterns;
  const readable =
    patterns.length === 1 &&
    pattern !== undefined &&
    exact === automaton &&
    asItReads(json, parseRegex(pattern), spelling, hint);
  if (readable) return { expression: readable, loosened: [...loosened] };
  if (exact.states.length <= maxExplored)
    return { expression: automatonRules(json.book, exact, spelling, hint), loosened: [...loosened] };
  return { expression: undefined, loosened: [] };
}

/** Any text of the length asked for. */
function free(json: JsonRules, { min, max }: StringLimits, spelling: Spelling, hint: string): Expression {
  const char = spelling === 'json' ? json.char : json.book.define('any', oneOf(anyChar, 'raw'));
  return json.book.count(spelling === 'json' ? 'char' : hint, char, min, max);
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
function asItReads(json: JsonRules, node: RegexNode, spelling: Spelling, hint: string): Expression | undefined {
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

function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof TooManyStates) return undefined;
    throw error;
  }
}

/** Quotes around the characters when they stand in JSON. */
export function quoted(expression: Expression): Expression {
  return sequence(text('"'), expression, text('"'));
}
