import { invert } from './code-points.ts';
import type { Terminal } from './flat-rules.ts';

/** A place that a reading stands at, and how to go on from there. */
export interface Places<Place extends object> {
  /** What the next character must be; undefined: not a character. */
  terminal(place: Place): Terminal | undefined;
  /** Where a reading may stand after it; undefined among them: at the end of the text. */
  behind(place: Place): readonly (Place | undefined)[];
}

/** Comparisons for one answer; what would need more is not known. */
const mostWork = 30_000;
/** So many ranges that a character is looked for in are as much as a comparison. */
const rangesAsWork = 100;
/** More ways are not told apart. */
const mostCounted = 1_001;

/**
 * In how many ways the characters of a token may be read: llama.cpp walks each of them for a token that fits none, also
 * where several lead to the same place. An upper bound: every way is counted as if it could choose its own characters
 * after the next one, so that nothing is overlooked however a grammar hides it.
 */
export class WaysAhead<Place extends object> {
  readonly #places: Places<Place>;
  readonly #known = new WeakMap<Place, Map<number, number>>();
  #work = 0;

  constructor(places: Places<Place>) {
    this.#places = places;
  }

  /** The most ways in which up to so many characters can be read from there; undefined: too much work to tell. */
  count(place: Place, characters: number): number | undefined {
    this.#work = 0;
    const ways = this.#from(place, characters);
    return this.#work > mostWork ? undefined : ways;
  }

  /** `characters`: with the one that stands next. */
  #from(place: Place, characters: number): number {
    if (characters <= 1) return 1;
    const known = this.#known.get(place)?.get(characters);
    if (known !== undefined) return known;
    const next = this.#places.behind(place);
    const terminals = next.flatMap((each) => {
      const terminal = each && this.#places.terminal(each);
      return each && terminal ? [{ place: each, terminal }] : [];
    });
    let most = 1;
    const ranges = terminals.reduce((sum, { terminal }) => sum + rangesOf(terminal), 0);
    for (const point of samples(terminals.map(({ terminal }) => terminal))) {
      this.#work += terminals.length + Math.floor(ranges / rangesAsWork);
      if (this.#work > mostWork) return most;
      let ways = 0;
      for (const each of terminals) {
        if (ways >= mostCounted) break;
        if (matches(each.terminal, point)) ways += this.#from(each.place, characters - 1);
      }
      most = Math.max(most, ways);
      if (most >= mostCounted) break;
    }
    if (this.#work <= mostWork) this.#keep(place, characters, most);
    return most;
  }

  #keep(place: Place, characters: number, ways: number): void {
    const counts = this.#known.get(place) ?? new Map<number, number>();
    counts.set(characters, ways);
    this.#known.set(place, counts);
  }
}

function rangesOf(terminal: Terminal): number {
  return terminal.kind === 'chars' ? terminal.ranges.length : 0;
}

/** The first character of every range: where ranges overlap, one of them begins. */
function samples(terminals: readonly Terminal[]): ReadonlySet<number> {
  return new Set(terminals.flatMap(firstsOf));
}

function firstsOf(terminal: Terminal): readonly number[] {
  if (terminal.kind === 'token') return [];
  if (terminal.kind === 'any') return [0];
  const ranges = terminal.negated ? invert(terminal.ranges) : terminal.ranges;
  return ranges.map(([low]) => low);
}

/** Does a character fit? None fits a token that is asked for by its number. */
export function matches(expression: Terminal, point: number): boolean {
  if (expression.kind === 'token') return false;
  if (expression.kind === 'any') return true;
  return expression.ranges.some(([low, high]) => low <= point && point <= high) !== expression.negated;
}
