import type { Element, FlatRule } from './flat-rules.ts';
import { matches } from './ways-ahead.ts';

type Option = readonly Element[];

/** A call that has not come back: where it goes on, for everybody who made it at this place of the text. */
interface Frame {
  readonly option: Option;
  readonly at: number;
  readonly begun: number;
  readonly callers: Set<Frame>;
  /** It has come back at once: the rule may be empty. */
  isEmpty: boolean;
}

/** Places of the grammar that are looked at, over the whole text: some tenths of a second. */
const maxSteps = 300_000;

/**
 * Is the whole text one of the grammar's? Readings that stand at the same place are followed as one, so it takes no longer
 * than the cube of the text's length, however many there are: for grammars that a machine cannot follow. undefined: it
 * would be too much work, or the grammar asks for tokens by number.
 */
export function recognizes(rules: readonly FlatRule[], text: string): boolean | undefined {
  const isByNumber = (each: Element) => each.kind === 'terminal' && each.expression.kind === 'token';
  if (rules.some(({ options }) => options.some((option) => option.some(isByNumber)))) return undefined;
  const recognizer = new Recognizer(rules);
  for (const char of text) {
    if (!recognizer.step(char.codePointAt(0) ?? 0)) return false;
    if (recognizer.steps > maxSteps) return undefined;
  }
  return recognizer.isComplete;
}

class Recognizer {
  steps = 0;
  isComplete = false;
  #rules: readonly FlatRule[];
  #place = 0;
  readonly #root: Frame = { option: [], at: 0, begun: -1, callers: new Set(), isEmpty: false };
  /** At the present place of the text: where the grammar stands, by frame. */
  #known = new Map<Frame, Map<Option, Set<number>>>();
  #todo: { readonly option: Option; readonly at: number; readonly frame: Frame }[] = [];
  /** Those whose next element is a character. */
  #waiting: { readonly option: Option; readonly at: number; readonly frame: Frame }[] = [];
  #frames = new Map<Option, Map<number, Frame>>();

  constructor(rules: readonly FlatRule[]) {
    this.#rules = rules;
    for (const option of rules[0]?.options ?? []) this.#add(option, 0, this.#root);
    this.#settle();
  }

  /** False: the text cannot go on like this. */
  step(point: number): boolean {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#known = new Map();
    this.#frames = new Map();
    this.#place++;
    this.isComplete = false;
    for (const { option, at, frame } of waiting) {
      const element = option[at];
      if (element?.kind === 'terminal' && matches(element.expression, point)) this.#add(option, at + 1, frame);
    }
    this.#settle();
    return this.isComplete || this.#waiting.length > 0;
  }

  #add(option: Option, at: number, frame: Frame): void {
    const places = this.#known.get(frame) ?? new Map<Option, Set<number>>();
    this.#known.set(frame, places);
    const known = places.get(option) ?? new Set<number>();
    places.set(option, known);
    if (known.has(at)) return;
    known.add(at);
    this.#todo.push({ option, at, frame });
  }

  #settle(): void {
    for (let next = this.#todo.pop(); next; next = this.#todo.pop()) {
      this.steps++;
      const { option, at, frame } = next;
      const element = option[at];
      if (element === undefined) this.#comeBack(frame);
      else if (element.kind === 'terminal') this.#waiting.push(next);
      else {
        // Whoever calls last need not be come back to.
        const behind = at + 1 < option.length ? this.#call(option, at + 1, frame) : frame;
        for (const each of this.#rules[element.target]?.options ?? []) this.#add(each, 0, behind);
      }
    }
  }

  #call(option: Option, at: number, caller: Frame): Frame {
    const places = this.#frames.get(option) ?? new Map<number, Frame>();
    this.#frames.set(option, places);
    const frame = places.get(at) ?? { option, at, begun: this.#place, callers: new Set(), isEmpty: false };
    places.set(at, frame);
    if (!frame.callers.has(caller)) {
      frame.callers.add(caller);
      if (frame.isEmpty) this.#add(option, at, caller);
    }
    return frame;
  }

  #comeBack(frame: Frame): void {
    if (frame === this.#root) this.isComplete = true;
    if (frame.begun === this.#place) frame.isEmpty = true;
    for (const caller of frame.callers) this.#add(frame.option, frame.at, caller);
  }
}
