import { ServeError } from '../../contract/errors.ts';
import type { Expression, Grammar } from './gbnf.ts';

export type Terminal = Expression & { kind: 'chars' | 'any' | 'token' };

/** One step of an alternative: a character, or a rule by index. */
export type Element =
  | { readonly kind: 'terminal'; readonly expression: Terminal }
  | { readonly kind: 'call'; readonly target: number };

/** Rules flattened to alternatives of elements, as llama.cpp holds them: counts and groups are rules of their own. */
export interface FlatRule {
  readonly name: string;
  readonly options: (readonly Element[])[];
}

const maxElements = 400_000;

/**
 * Flattens; the first rule is `root`. Throws ServeError invalid_request when counts blow the grammar up. `shared`: counts
 * of the same character share rules, as they do not in llama.cpp: it makes the rules fewer, and the open readings too.
 */
export function flatten(grammar: Grammar, param: string, { shared = true } = {}): readonly FlatRule[] {
  const rules: FlatRule[] = [];
  const indexes = new Map<string, number>();
  let elements = 0;
  const add = (name: string): number => rules.push({ name, options: [] }) - 1;
  for (const name of ['root', ...grammar.keys()]) if (!indexes.has(name)) indexes.set(name, add(name));

  const grow = (by: number) => {
    elements += by;
    if (elements > maxElements)
      throw new ServeError(
        'invalid_request',
        `The grammar would need more than ${maxElements} elements; use smaller counts or fewer rules.`,
        { param },
      );
  };
  const fill = (index: number, expression: Expression): number => {
    const options = expression.kind === 'choice' ? expression.options : [expression];
    for (const option of options) rules[index]?.options.push(toElements(option, index));
    return index;
  };
  const fresh = (owner: number) => add(`${rules[owner]?.name ?? 'root'}-${rules.length}`);
  const terminals = new Map<string, Element>();
  const terminalOf = (char: string): Element =>
    getOrAdd(terminals, char, () => {
      const point = char.codePointAt(0) ?? 0;
      return { kind: 'terminal', expression: { kind: 'chars', ranges: [[point, point]], negated: false } };
    });
  const toElements = (expression: Expression, owner: number): readonly Element[] => {
    grow(1);
    switch (expression.kind) {
      case 'text':
        grow(expression.text.length);
        return [...expression.text].map(terminalOf);
      case 'chars':
      case 'any':
      case 'token':
        return [{ kind: 'terminal', expression }];
      case 'rule':
        return [{ kind: 'call', target: indexes.get(expression.name) ?? 0 }];
      case 'sequence': {
        const all: Element[] = [];
        for (const part of expression.parts) for (const each of toElements(part, owner)) all.push(each);
        return all;
      }
      case 'choice':
        return [{ kind: 'call', target: fill(fresh(owner), expression) }];
      case 'repeat':
        return repeated(toElements(expression.part, owner), expression, owner);
      default:
        return expression satisfies never;
    }
  };
  const repeated = (part: readonly Element[], count: Expression & { kind: 'repeat' }, owner: number) => {
    grow(part.length * count.min);
    const all: Element[] = [];
    for (let i = 0; i < count.min; i++) for (const each of part) all.push(each);
    const further = count.max === undefined ? 1 : count.max - count.min;
    grow((part.length + 1) * further);
    const upTo = count.max === undefined ? [] : tailsOf(part);
    let next: number | undefined;
    for (let i = 0; i < further; i++) {
      const index = upTo[i] ?? fresh(owner);
      if (upTo[i] === undefined) {
        const tail = count.max === undefined ? index : next;
        rules[index]?.options.push(tail === undefined ? part : [...part, { kind: 'call', target: tail }], []);
        upTo[i] = index;
      }
      next = index;
    }
    if (next !== undefined) all.push({ kind: 'call', target: next });
    return all;
  };
  /** Rules for at most 1, 2, 3 ... of a part. Bounds of numbers count hundreds of digits, over and over: they share them. */
  const tails = new Map<string, number[]>();
  const tailsOf = (part: readonly Element[]): number[] => {
    const [only] = part;
    return shared && part.length === 1 && only ? getOrAdd(tails, spelled(only), () => []) : [];
  };
  for (const [name, expression] of grammar) fill(indexes.get(name) ?? 0, expression);
  return rules;
}

/** Equal for elements that match the same. */
function spelled(element: Element): string {
  if (element.kind === 'call') return `rule ${element.target}`;
  const { expression } = element;
  if (expression.kind === 'any') return 'any';
  const what = expression.kind === 'chars' ? expression.ranges.join(' ') : `token ${expression.id}`;
  return expression.negated ? `not ${what}` : what;
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
