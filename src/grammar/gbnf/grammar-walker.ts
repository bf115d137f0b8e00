import { invert } from './code-points.ts';
import { type Element, type FlatRule, flatten, type Terminal } from './flat-rules.ts';
import type { Expression, Grammar } from './gbnf.ts';
import { choiceOf, empty, rule, sequenceOf } from './gbnf.ts';
import { matches, WaysAhead } from './ways-ahead.ts';

/** What still has to come, innermost first. Shared tails; equal stacks are the same object. */
export interface Stack {
  readonly elements: readonly Element[];
  readonly at: number;
  readonly below: Stack | undefined;
}

/** One stack for each way to read the text so far; `undefined` is the finished text. */
type Readings = readonly (Stack | undefined)[];

/** Stacks that are kept for being met again; beyond, those that are no longer open are forgotten. */
const maxKept = 50_000;

/**
 * Follows a text through a grammar the way llama.cpp does: all open readings at once. As many as are open here are open
 * there, and its time for a token grows with them.
 */
export class GrammarWalker {
  #rules: readonly FlatRule[];
  #start: Readings;
  #open: Readings;
  #shared = new Map<Stack | undefined, Map<readonly Element[], Map<number, Stack>>>();
  #kept = 0;
  #seen = new Map<readonly Element[], Set<number>>();
  #ways = new WaysAhead<Stack>({
    terminal: ({ elements, at }) => terminalAt(elements[at]),
    behind: (stack) => this.#behind(stack),
  });

  constructor(grammar: Grammar | readonly FlatRule[], param = 'grammar') {
    this.#rules = 'get' in grammar ? flatten(grammar, param) : grammar;
    const found = new Set<Stack | undefined>();
    for (const option of this.#rules[0]?.options ?? []) this.#settle(this.#push(option, 0, undefined), found);
    this.#start = [...found];
    this.#open = this.#start;
  }

  /** Back to the beginning of the text. */
  restart(): void {
    this.#open = this.#start;
  }

  /**
   * False: the text cannot continue like this; the machine is then dead. `token` is the one that the text is of: grammars
   * may ask for tokens by their number, and nothing else matches those.
   */
  accept(text: string, token?: number): boolean {
    const byNumber = token === undefined ? [] : this.#acceptToken(token);
    // A token that shows nothing (yet) leaves those waiting who wait for characters.
    let open = token === undefined || text !== '' ? this.#open : this.#open.filter((stack) => !waitsForToken(stack));
    for (const char of text) open = this.#step(open, char.codePointAt(0) ?? 0);
    this.#open = byNumber.length > 0 ? [...new Set([...open, ...byNumber])] : open;
    if (this.#kept > maxKept) this.#forget();
    return this.#open.length > 0;
  }

  /** The text so far is complete. */
  get complete(): boolean {
    return this.#open.includes(undefined);
  }

  get openReadings(): number {
    return this.#open.length;
  }

  /**
   * So many readings the next `characters` characters may open at a time, as far as a look along the worst of each tells;
   * it goes on no further once there are more than `limit`.
   */
  mostReadings(characters: number, limit: number): number {
    return this.#mostFrom(this.#open, characters, limit);
  }

  takeNewPlaces(): readonly Stack[] {
    const found: Stack[] = [];
    for (const stack of this.#open) {
      if (!stack || this.#seen.get(stack.elements)?.has(stack.at)) continue;
      this.#seen.set(stack.elements, (this.#seen.get(stack.elements) ?? new Set()).add(stack.at));
      found.push(stack);
    }
    return found;
  }

  /** The most ways in which so many characters can be read from a place on; undefined: too much work to tell. */
  waysFrom(place: Stack, characters: number): number | undefined {
    return this.#ways.count(place, characters);
  }

  #mostFrom(start: Readings, characters: number, limit: number): number {
    let open = start;
    let most = open.length;
    for (let at = 0; at < characters && most <= limit; at++) {
      let widest: Readings = [];
      for (const point of this.#samples(open)) {
        const next = this.#step(open, point);
        if (next.length > widest.length) widest = next;
      }
      open = widest;
      most = Math.max(most, open.length);
    }
    return most;
  }

  /** The grammar of everything that may follow the text so far. */
  rest(): Grammar {
    const rules = new Map<string, Expression>();
    const name = (index: number) => (index === 0 ? 'whole' : `${this.#rules[index]?.name}-r`);
    const write = (elements: readonly Element[]) =>
      sequenceOf(elements.map((each) => (each.kind === 'call' ? rule(name(each.target)) : each.expression)));
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
      return parts.length === 0 ? empty : sequenceOf(parts);
    });
    rules.set('root', choiceOf(readings));
    for (let index = wanted.pop(); index !== undefined; index = wanted.pop()) {
      if (rules.has(name(index))) continue;
      const options = this.#rules[index]?.options ?? [];
      rules.set(name(index), choiceOf(options.map(write)));
      for (const option of options) note(option);
    }
    return rules;
  }

  #step(open: Readings, point: number): Readings {
    const found = new Set<Stack | undefined>();
    for (const stack of open) {
      const element = stack?.elements[stack.at];
      if (stack && element?.kind === 'terminal' && matches(element.expression, point))
        this.#settle(this.#push(stack.elements, stack.at + 1, stack.below), found);
    }
    return [...found];
  }

  /** Where a reading may stand when what is on top has come. */
  #behind({ elements, at, below }: Stack): Readings {
    const found = new Set<Stack | undefined>();
    this.#settle(this.#push(elements, at + 1, below), found);
    return [...found];
  }

  #acceptToken(token: number): Readings {
    const found = new Set<Stack | undefined>();
    for (const stack of this.#open) {
      const element = stack?.elements[stack.at];
      if (!stack || element?.kind !== 'terminal' || element.expression.kind !== 'token') continue;
      if ((element.expression.id === token) !== element.expression.negated)
        this.#settle(this.#push(stack.elements, stack.at + 1, stack.below), found);
    }
    return [...found];
  }

  /** A few characters with which these may go on. */
  #samples(open: Readings): ReadonlySet<number> {
    const found = new Set<number>();
    for (const stack of open) {
      const element = stack?.elements[stack.at];
      if (element?.kind === 'terminal') found.add(sampleOf(element.expression));
      if (found.size >= maxSamples) break;
    }
    return found;
  }

  /** Keeps what the open readings need. */
  #forget(): void {
    const open = [...this.#start, ...this.#open];
    this.#shared.clear();
    this.#kept = 0;
    const again = new Map<Stack | undefined, Stack | undefined>([[undefined, undefined]]);
    const kept = open.map((stack) => {
      const path: Stack[] = [];
      let at = stack;
      for (; at && !again.has(at); at = at.below) path.push(at);
      let below = again.get(at);
      for (const each of path.reverse()) {
        below = this.#push(each.elements, each.at, below);
        again.set(each, below);
      }
      return again.get(stack);
    });
    this.#open = kept.slice(this.#start.length);
    this.#start = kept.slice(0, this.#start.length);
  }

  /** Walks rule calls until a terminal is on top. */
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
      () => {
        this.#kept++;
        return { elements, at, below };
      },
    );
  }
}

function terminalAt(element: Element | undefined): Terminal | undefined {
  return element?.kind === 'terminal' ? element.expression : undefined;
}

function waitsForToken(stack: Stack | undefined): boolean {
  const element = stack?.elements[stack.at];
  return element?.kind === 'terminal' && element.expression.kind === 'token';
}

const maxSamples = 12;

/** A character that it matches: of a class the first. */
function sampleOf(expression: Terminal): number {
  if (expression.kind !== 'chars') return 0x20;
  if (!expression.negated) return expression.ranges[0]?.[0] ?? 0x20;
  return invert(expression.ranges)[0]?.[0] ?? 0x20;
}

/** Does the whole text fit the grammar? */
export function fits(grammar: Grammar, text: string): boolean {
  const machine = new GrammarWalker(grammar);
  return machine.accept(text) && machine.complete;
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
