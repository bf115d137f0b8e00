import { anyChar, invert, tidy } from './gbnf/code-points.ts';
import type { Expression, Grammar } from './gbnf/gbnf.ts';
import { prefixRules } from './gbnf/gbnf-rewrite.ts';
import type { RegexNode } from './regex/regex.ts';
import { regexAutomaton } from './regex/regex-automaton.ts';
import { readsOneWay } from './regex/regex-order.ts';
import { automatonRules } from './schema/automaton-rules.ts';
import { newBook } from './schema/json-schema.ts';

/** An expression without rules that mention themselves, and the places for a character in it, counts written out. */
interface Regular {
  readonly node: RegexNode;
  readonly places: number;
}

/** Larger expressions are not tried, nor such as stand in each other so deep, rules in rules. */
const maxPlaces = 3_000;
const maxDepth = 1_000;
/** States of an automaton for the whole grammar, and for one of its rules. */
const maxStates = { whole: 1_500, rule: 400 };

export interface OneWay {
  /** With the same texts. */
  readonly grammar: Grammar;
  /** One reading is open at a time, whatever the text; else that is only so within the rules that are regular. */
  readonly isCertain: boolean;
}

/**
 * A client's grammar with what is regular in it as automata, so that the next character tells the place. What is written
 * so already stays as it is.
 */
export function readOneWay(grammar: Grammar): OneWay {
  const regular = new RegularRules(grammar);
  const root = regular.rule('root');
  if (root && readsOneWay(root.node)) return { grammar, isCertain: true };
  const book = newBook('grammar');
  const rewritten = ({ node }: Regular, states: number, name: string): Expression | undefined => {
    const whole: RegexNode = { kind: 'sequence', parts: [{ kind: 'start' }, node, { kind: 'end' }] };
    const automaton = book.explore(() => regexAutomaton(whole, states), states);
    return automaton && automatonRules(book, automaton, 'raw', name);
  };
  const all = root && rewritten(root, maxStates.whole, 'text');
  if (all) return { grammar: book.grammar(all), isCertain: true };
  const found = new Map(grammar);
  for (const name of grammar.keys()) {
    const rule = name === 'root' ? undefined : regular.rule(name);
    const written = rule && !readsOneWay(rule.node) ? rewritten(rule, maxStates.rule, name) : undefined;
    if (!written) continue;
    const prefix = `${name}-one-way-`;
    for (const [each, body] of prefixRules(book.grammar(written), prefix))
      found.set(each === `${prefix}root` ? name : each, body);
  }
  return { grammar: found, isCertain: false };
}

class RegularRules {
  #grammar: Grammar;
  #known = new Map<string, Regular | undefined>();
  #depth = 0;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  /** undefined: it mentions itself, or is too large. */
  rule(name: string): Regular | undefined {
    if (this.#known.has(name)) return this.#known.get(name);
    // Whoever mentions it while it is looked at is part of a circle.
    this.#known.set(name, undefined);
    const body = this.#grammar.get(name);
    const found = body && this.#of(body);
    this.#known.set(name, found);
    return found;
  }

  #of(expression: Expression): Regular | undefined {
    if (this.#depth >= maxDepth) return undefined;
    this.#depth++;
    const found = this.#regular(expression);
    this.#depth--;
    return found && found.places <= maxPlaces ? found : undefined;
  }

  #regular(expression: Expression): Regular | undefined {
    switch (expression.kind) {
      case 'text': {
        const points = [...expression.text].map((char) => char.codePointAt(0) ?? 0);
        const parts = points.map((point) => ({ kind: 'chars' as const, ranges: [[point, point] as const] }));
        return { node: { kind: 'sequence', parts }, places: points.length };
      }
      case 'chars': {
        const ranges = expression.negated ? invert(expression.ranges) : tidy(expression.ranges);
        return { node: { kind: 'chars', ranges }, places: 1 };
      }
      case 'any':
        return { node: { kind: 'chars', ranges: anyChar }, places: 1 };
      case 'token':
        return undefined;
      case 'rule':
        return this.rule(expression.name);
      case 'sequence':
        return this.#all(expression.parts, (parts) => ({ kind: 'sequence', parts }));
      case 'choice':
        return this.#all(expression.options, (options) => ({ kind: 'choice', options }));
      case 'repeat': {
        const { min, max } = expression;
        const part = this.#of(expression.part);
        return (
          part && { node: { kind: 'repeat', part: part.node, min, max }, places: part.places * Math.max(min, max ?? 1) }
        );
      }
      default:
        return expression satisfies never;
    }
  }

  #all(parts: readonly Expression[], join: (nodes: readonly RegexNode[]) => RegexNode): Regular | undefined {
    const nodes: RegexNode[] = [];
    let places = 0;
    for (const part of parts) {
      const found = this.#of(part);
      if (!found) return undefined;
      nodes.push(found.node);
      places += found.places;
    }
    return { node: join(nodes), places };
  }
}
