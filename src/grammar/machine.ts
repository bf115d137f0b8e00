import { ServeError } from '../contract/errors.ts';
import type { Expression, Grammar } from './gbnf.ts';
import { choice, empty, rule, sequence } from './gbnf.ts';

/** One step of an alternative: a character, or a rule by index. */
export type Element =
  | { readonly kind: 'terminal'; readonly expression: Expression & { kind: 'chars' | 'any' | 'token' } }
  | { readonly kind: 'call'; readonly target: number };

/** Rules flattened to alternatives of elements, as llama.cpp holds them: counts and groups are rules of their own. */
export interface FlatRule {
  readonly name: string;
  readonly options: (readonly Element[])[];
}

const maxElements = 400_000;

/** Flattens; the first rule is `root`. Throws ServeError invalid_request when counts blow the grammar up. */
export function flatten(grammar: Grammar, param: string): readonly FlatRule[] {
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
    rules[index]?.options.push(...options.map((option) => toElements(option, index)));
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
    return part.length === 1 && only ? getOrAdd(tails, spelled(only), () => []) : [];
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

/** What still has to come, innermost first. Shared tails; equal stacks are the same object. */
interface Stack {
  readonly elements: readonly Element[];
  readonly at: number;
  readonly below: Stack | undefined;
}

/**
 * Follows a text through a grammar the way llama.cpp does: all open readings at once. Tokens by number match nothing
 * here, because this machine sees text only.
 */
export class GrammarMachine {
  #rules: readonly FlatRule[];
  #start: readonly (Stack | undefined)[];
  #open: readonly (Stack | undefined)[];
  #shared = new Map<Stack | undefined, Map<readonly Element[], Map<number, Stack>>>();

  constructor(grammar: Grammar, param = 'grammar') {
    this.#rules = flatten(grammar, param);
    const found = new Set<Stack | undefined>();
    for (const option of this.#rules[0]?.options ?? []) this.#settle(this.#push(option, 0, undefined), found);
    this.#start = [...found];
    this.#open = this.#start;
  }

  /** Back to the beginning of the text. */
  restart(): void {
    this.#open = this.#start;
  }

  /** False: the text cannot continue like this; the machine is then dead. */
  accept(text: string): boolean {
    for (const char of text) {
      const point = char.codePointAt(0) ?? 0;
      const found = new Set<Stack | undefined>();
      for (const stack of this.#open) {
        const element = stack?.elements[stack.at];
        if (stack && element?.kind === 'terminal' && matches(element.expression, point))
          this.#settle(this.#push(stack.elements, stack.at + 1, stack.below), found);
      }
      this.#open = [...found];
    }
    return this.#open.length > 0;
  }

  /** The text so far is complete. */
  get complete(): boolean {
    return this.#open.includes(undefined);
  }

  get openReadings(): number {
    return this.#open.length;
  }

  /** The grammar of everything that may follow the text so far. */
  rest(): Grammar {
    const rules = new Map<string, Expression>();
    const name = (index: number) => (index === 0 ? 'whole' : `${this.#rules[index]?.name}-r`);
    const write = (elements: readonly Element[]) =>
      sequence(...elements.map((each) => (each.kind === 'call' ? rule(name(each.target)) : each.expression)));
    const wanted: number[] = [];
    const note = (elements: readonly Element[]) => {
      for (const each of elements) if (each.kind === 'call') wanted.push(each.target);
    };
    const readings = this.#open.map((stack) => {
      const parts: Expression[] = [];
      for (let each = stack; each; each = each.below) {
        parts.push(write(each.elements.slice(each.at)));
        note(each.elements.slice(each.at));
      }
      return parts.length === 0 ? empty : sequence(...parts);
    });
    rules.set('root', choice(...readings));
    for (let index = wanted.pop(); index !== undefined; index = wanted.pop()) {
      if (rules.has(name(index))) continue;
      const options = this.#rules[index]?.options ?? [];
      rules.set(name(index), choice(...options.map(write)));
      for (const option of options) note(option);
    }
    return rules;
  }

  /** Walks rule calls until a terminal is on top. `undefined` is the finished text. */
  #settle(start: Stack | undefined, found: Set<Stack | undefined>): void {
    const todo = [start];
    const seen = new Set<Stack | undefined>();
    while (todo.length > 0) {
      const stack = todo.pop();
      if (seen.has(stack)) continue;
      seen.add(stack);
      const element = stack?.elements[stack.at];
      if (!stack || element?.kind !== 'call') {
        found.add(stack);
        continue;
      }
      const below = this.#push(stack.elements, stack.at + 1, stack.below);
      for (const option of this.#rules[element.target]?.options ?? []) todo.push(this.#push(option, 0, below));
    }
  }

  #push(elements: readonly Element[], at: number, below: Stack | undefined): Stack | undefined {
    if (at >= elements.length) return below;
    const byElements = getOrAdd(this.#shared, below, () => new Map<readonly Element[], Map<number, Stack>>());
    return getOrAdd(
      getOrAdd(byElements, elements, () => new Map<number, Stack>()),
      at,
      () => ({ elements, at, below }),
    );
  }
}

/** Does the whole text fit the grammar? */
export function fits(grammar: Grammar, text: string): boolean {
  const machine = new GrammarMachine(grammar);
  return machine.accept(text) && machine.complete;
}

function matches(expression: Expression & { kind: 'chars' | 'any' | 'token' }, point: number): boolean {
  if (expression.kind === 'token') return false;
  if (expression.kind === 'any') return true;
  return expression.ranges.some(([low, high]) => low <= point && point <= high) !== expression.negated;
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
