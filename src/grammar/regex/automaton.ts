import { anyChar, invert } from '../gbnf/code-points.ts';

/**
 * A deterministic automaton over code points. State 0 is the start; ranges of one state do not overlap; a character
 * without a way leads nowhere. Every state can still reach an accepting one, except in the automaton of nothing.
 */
export interface Automaton {
  readonly states: readonly State[];
  /** States that were looked at to make it, or as much work as so many are. */
  readonly effort: number;
}

export interface State {
  readonly accepts: boolean;
  readonly ways: readonly Way[];
}

export interface Way {
  readonly low: number;
  readonly high: number;
  readonly to: number;
}

/** Thrown when an automaton outgrows its budget; callers then loosen or take another road. */
export class TooManyStates extends Error {}

/** What `build` explores: states are strings or numbers of the caller's choice. */
export interface Exploration<Key extends string | number> {
  readonly start: Key;
  accepts(state: Key): boolean;
  ways(state: Key): readonly { readonly low: number; readonly high: number; readonly to: Key }[];
}

/** Explores from the start, cuts dead ends, merges equal states. */
export function build<Key extends string | number>(graph: Exploration<Key>, maxStates: number): Automaton {
  const indexes = new Map<Key, number>([[graph.start, 0]]);
  const order: Key[] = [graph.start];
  const states: State[] = [];
  for (let at = 0; at < order.length; at++) {
    const key = order[at];
    if (key === undefined) break;
    const ways = graph.ways(key).map(({ low, high, to }) => {
      let index = indexes.get(to);
      if (index === undefined) {
        index = order.push(to) - 1;
        if (order.length > maxStates) throw new TooManyStates();
        indexes.set(to, index);
      }
      return { low, high, to: index };
    });
    states.push({ accepts: graph.accepts(key), ways });
  }
  return { states: merge(prune(states)), effort: states.length };
}

export function isNothing(automaton: Automaton): boolean {
  return automaton.states.length === 1 && automaton.states[0]?.accepts === false;
}

export function accepts(automaton: Automaton, text: string): boolean {
  let state = automaton.states[0];
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    const way = state?.ways.find(({ low, high }) => low <= point && point <= high);
    if (!way) return false;
    state = automaton.states[way.to];
  }
  return state?.accepts ?? false;
}

/** Texts that both accept. */
export function intersect(a: Automaton, b: Automaton, maxStates: number): Automaton {
  const width = b.states.length;
  const pair = (key: number) => [a.states[Math.floor(key / width)], b.states[key % width]] as const;
  return build<number>(
    {
      start: 0,
      accepts: (key) => pair(key).every((state) => state?.accepts === true),
      ways: (key) => {
        const [one, other] = pair(key);
        return (one?.ways ?? []).flatMap((x) =>
          (other?.ways ?? [])
            .map((y) => ({ low: Math.max(x.low, y.low), high: Math.min(x.high, y.high), to: x.to * width + y.to }))
            .filter(({ low, high }) => low <= high),
        );
      },
    },
    maxStates,
  );
}

/** Texts that one of them accepts. */
export function unite(a: Automaton, b: Automaton, maxStates: number): Automaton {
  const width = b.states.length + 1;
  const pair = (key: number) => [a.states[Math.floor(key / width)], b.states[key % width]] as const;
  return build<number>(
    {
      start: 0,
      accepts: (key) => pair(key).some((state) => state?.accepts === true),
      ways: (key) => {
        const [one, other] = pair(key);
        const edges = [...(one?.ways ?? []), ...(other?.ways ?? [])].flatMap(({ low, high }) => [low, high + 1]);
        const borders = [...new Set(edges)].sort((x, y) => x - y);
        const target = (state: State | undefined, point: number, nowhere: number) =>
          state?.ways.find(({ low, high }) => low <= point && point <= high)?.to ?? nowhere;
        return borders.slice(0, -1).flatMap((low, index) => {
          const to = target(one, low, a.states.length) * width + target(other, low, b.states.length);
          const high = (borders[index + 1] ?? low + 1) - 1;
          return to === a.states.length * width + b.states.length ? [] : [{ low, high, to }];
        });
      },
    },
    maxStates,
  );
}

/** All texts that `automaton` refuses. */
export function complement(automaton: Automaton): Automaton {
  const sink = automaton.states.length;
  return build<number>(
    {
      start: 0,
      accepts: (key) => automaton.states[key]?.accepts !== true,
      ways: (key) => {
        const ways = automaton.states[key]?.ways ?? [];
        return [
          ...ways,
          ...invert(ways.map(({ low, high }) => [low, high])).map(([low, high]) => ({ low, high, to: sink })),
        ];
      },
    },
    sink + 2,
  );
}

/** Texts of `min` to `max` characters; `max` undefined: no limit. */
export function lengths(min: number, max: number | undefined, maxStates: number): Automaton {
  const last = max ?? min;
  return build<number>(
    {
      start: 0,
      accepts: (count) => count >= min,
      ways: (count) => {
        if (count === last && max !== undefined) return [];
        return anyChar.map(([low, high]) => ({ low, high, to: Math.min(count + 1, last) }));
      },
    },
    maxStates,
  );
}

/** Exactly these texts. */
export function ofTexts(texts: readonly string[], maxStates: number): Automaton {
  // A tree of their characters, in numbers: the beginnings themselves would take the square of a text's length.
  const places: Map<number, number>[] = [new Map()];
  const ends = new Set<number>();
  for (const text of texts) {
    let at = 0;
    for (const char of text) {
      const point = char.codePointAt(0) ?? 0;
      const next = places[at]?.get(point) ?? places.push(new Map()) - 1;
      if (places.length > maxStates) throw new TooManyStates();
      places[at]?.set(point, next);
      at = next;
    }
    ends.add(at);
  }
  return build<number>(
    {
      start: 0,
      accepts: (at) => ends.has(at),
      ways: (at) => [...(places[at] ?? [])].map(([point, to]) => ({ low: point, high: point, to })),
    },
    maxStates,
  );
}

/** All texts in which none of the markers occurs. A state is what of the text's end may be the beginning of one. */
export function notContaining(markers: readonly string[]): Automaton {
  const beginnings = new Set(
    markers.flatMap((marker) => [...marker].map((_, length, all) => all.slice(0, length).join(''))),
  );
  const letters = [...new Set(markers.flatMap((marker) => [...marker]))];
  const points = letters.map((letter) => letter.codePointAt(0) ?? 0);
  const others = invert(points.map((point) => [point, point] as const));
  const rest = (text: string) => {
    for (let from = 0; from < text.length; from++) {
      const end = text.slice(from);
      if (beginnings.has(end)) return end;
    }
    return '';
  };
  return build<string>(
    {
      start: '',
      accepts: () => true,
      ways: (begun) => [
        ...others.map(([low, high]) => ({ low, high, to: '' })),
        ...letters
          .filter((letter) => !markers.some((marker) => (begun + letter).endsWith(marker)))
          .map((letter) => ({
            low: letter.codePointAt(0) ?? 0,
            high: letter.codePointAt(0) ?? 0,
            to: rest(begun + letter),
          })),
      ],
    },
    10_000,
  );
}

/** Drops states from which no accepting one can be reached. */
function prune(states: readonly State[]): readonly State[] {
  const before = states.map((): number[] => []);
  states.forEach((state, index) => {
    for (const way of state.ways) before[way.to]?.push(index);
  });
  const alive = new Set<number>();
  const todo = states.flatMap((state, index) => (state.accepts ? [index] : []));
  for (let index = todo.pop(); index !== undefined; index = todo.pop()) {
    if (alive.has(index)) continue;
    alive.add(index);
    todo.push(...(before[index] ?? []));
  }
  if (!alive.has(0)) return [{ accepts: false, ways: [] }];
  if (alive.size === states.length) return states;
  const numbers = new Int32Array(states.length).fill(nowhere);
  let count = 0;
  states.forEach((_, index) => {
    if (alive.has(index)) numbers[index] = count++;
  });
  return states.filter((_, index) => alive.has(index)).map((state) => renumbered(state, numbers));
}

/**
 * States that nobody can tell apart become one. Partition refinement: a state is looked at again only when one of its
 * targets has moved to another group, so long chains cost no more than their length.
 */
function merge(states: readonly State[]): readonly State[] {
  const groups = states.map((state) => Number(state.accepts));
  const sizes = [0, 0];
  for (const group of groups) sizes[group] = (sizes[group] ?? 0) + 1;
  const before = states.map((): number[] => []);
  states.forEach((state, index) => {
    for (const way of state.ways) before[way.to]?.push(index);
  });
  const sorted = states.map(({ ways }) => inOrder(ways));
  /** The groups that its ways lead to, neighbours with the same one as one range. */
  const signature = (index: number) => {
    let text = '';
    let end = -1;
    let group = -1;
    for (const { low, high, to } of sorted[index] ?? []) {
      const next = groups[to] ?? 0;
      if (next !== group || low !== end + 1) text += `-${end},${low}>${next}`;
      group = next;
      end = high;
    }
    return `${text}-${end}`;
  };

  for (let dirty = new Set(states.keys()); dirty.size > 0; ) {
    const parts = new Map<string, number[]>();
    for (const index of dirty) {
      const key = `${groups[index]}:${signature(index)}`;
      const part = parts.get(key);
      if (part) part.push(index);
      else parts.set(key, [index]);
    }
    dirty = new Set();
    // Members that were not looked at again differ from these; without such, the largest part keeps the group.
    for (const part of [...parts.values()].sort((a, b) => a.length - b.length)) {
      const old = groups[part[0] ?? 0] ?? 0;
      if (sizes[old] === part.length) continue;
      sizes[old] = (sizes[old] ?? 0) - part.length;
      const fresh = sizes.push(part.length) - 1;
      for (const index of part) {
        groups[index] = fresh;
        for (const user of before[index] ?? []) dirty.add(user);
      }
    }
  }
  return join(states, groups);
}

/** One state per group, numbered in order of appearance: the start stays state 0. */
function join(states: readonly State[], groups: readonly number[]): readonly State[] {
  const names = new Map<number, number>();
  const numbers = Int32Array.from(groups, (group) => {
    const number = names.get(group) ?? names.size;
    names.set(group, number);
    return number;
  });
  const merged: State[] = [];
  states.forEach((state, index) => {
    merged[numbers[index] ?? 0] ??= renumbered(state, numbers);
  });
  return merged;
}

/** In the place of a state's new number: it is gone. */
const nowhere = -1;

/** With the states' new numbers; ways in order, neighbours with the same target joined. */
function renumbered({ accepts, ways }: State, numbers: Int32Array): State {
  const joined: Way[] = [];
  for (const { low, high, to } of inOrder(ways)) {
    const target = numbers[to] ?? nowhere;
    const last = joined.at(-1);
    if (target === nowhere) continue;
    if (last?.to === target && last.high + 1 === low) joined[joined.length - 1] = { low: last.low, high, to: target };
    else joined.push({ low, high, to: target });
  }
  return { accepts, ways: joined };
}

function inOrder(ways: readonly Way[]): readonly Way[] {
  const isInOrder = ways.every(({ low }, index) => index === 0 || (ways[index - 1]?.low ?? 0) <= low);
  return isInOrder ? ways : [...ways].sort((a, b) => a.low - b.low);
}
