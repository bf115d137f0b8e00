import type { Automaton, Way } from './automaton.ts';
import { build, TooManyStates } from './automaton.ts';
import { anyChar } from './code-points.ts';
import type { CodePointRange } from './gbnf.ts';
import type { RegexNode } from './regex.ts';

/** One state of the non-deterministic automaton: free steps, steps behind an anchor, and at most one step by character. */
interface Node {
  readonly free: number[];
  /** May only be taken before the first character (start) or after the last one (end). */
  anchored?: { readonly kind: 'start' | 'end'; readonly to: number };
  step?: { readonly ranges: readonly CodePointRange[]; readonly to: number };
}

const maxNodes = 20_000;
/** Nodes looked at, in sum: some hundredths of a second. Clients write these expressions. */
const maxWork = 300_000;

/**
 * All texts in which the expression is found, as `RegExp.test` finds it: anywhere, unless anchored. Throws
 * TooManyStates when the automaton or the expression's counts outgrow `maxStates`.
 */
export function regexAutomaton(node: RegexNode, maxStates: number): Automaton {
  const nodes: Node[] = [];
  const add = (): number => {
    if (nodes.length >= maxNodes) throw new TooManyStates();
    return nodes.push({ free: [] }) - 1;
  };
  const free = (from: number, to: number) => nodes[from]?.free.push(to);
  const anything = (): number => {
    const loop = add();
    const state = nodes[loop];
    if (state) state.step = { ranges: anyChar, to: loop };
    return loop;
  };
  /** Lays the expression behind `from` and gives the node where it ends. */
  const lay = (part: RegexNode, from: number): number => {
    const end = part.kind === 'sequence' ? from : add();
    const state = nodes[from];
    switch (part.kind) {
      case 'chars': {
        const before = add();
        free(from, before);
        const stepping = nodes[before];
        if (stepping) stepping.step = { ranges: part.ranges, to: end };
        return end;
      }
      case 'start':
      case 'end': {
        const before = add();
        free(from, before);
        const stepping = nodes[before];
        if (stepping && state) stepping.anchored = { kind: part.kind, to: end };
        return end;
      }
      case 'sequence':
        return part.parts.reduce((at, each) => lay(each, at), from);
      case 'choice':
        for (const option of part.options) {
          const begin = add();
          free(from, begin);
          free(lay(option, begin), end);
        }
        return end;
      case 'repeat': {
        let at = from;
        for (let i = 0; i < part.min; i++) at = lay(part.part, at);
        if (part.max === undefined) {
          const loop = add();
          free(at, loop);
          free(lay(part.part, loop), loop);
          free(loop, end);
          return end;
        }
        free(at, end);
        for (let i = part.min; i < part.max; i++) {
          const begin = add();
          free(at, begin);
          at = lay(part.part, begin);
          free(at, end);
        }
        return end;
      }
      default:
        return part satisfies never;
    }
  };
  const first = anything();
  const begin = add();
  free(first, begin);
  const found = lay(node, begin);
  const last = anything();
  free(found, last);
  return determine(nodes, { first, found, last, maxStates });
}

/** Subset construction. A subset is spelled as its node numbers; `^` marks the one before any character. */
function determine(
  nodes: readonly Node[],
  { first, found, last, maxStates }: { first: number; found: number; last: number; maxStates: number },
): Automaton {
  let work = 0;
  /** Nodes reached without a character; only those that matter afterwards are kept. */
  const follow = (starts: readonly number[], anchors: { readonly start: boolean; readonly end: boolean }): number[] => {
    const seen = new Set<number>();
    const todo = [...starts];
    for (let index = todo.pop(); index !== undefined; index = todo.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const node = nodes[index];
      todo.push(...(node?.free ?? []));
      if (node?.anchored && anchors[node.anchored.kind]) todo.push(node.anchored.to);
    }
    work += seen.size;
    if (work > maxWork) throw new TooManyStates();
    const matters = (index: number) =>
      index === found || index === last || nodes[index]?.step !== undefined || nodes[index]?.anchored !== undefined;
    return [...seen].filter(matters).sort((a, b) => a - b);
  };
  const closures = new Map<number, readonly number[]>();
  const closure = (index: number) => {
    const known = closures.get(index) ?? follow([index], { start: false, end: false });
    closures.set(index, known);
    return known;
  };
  const subsets = new Map<string, readonly number[]>();
  const spell = (members: readonly number[], mark = '') => {
    const key = mark + members.join();
    subsets.set(key, members);
    return key;
  };
  return build<string>(
    {
      start: spell(follow([first], { start: true, end: false }), '^'),
      accepts: (key) => {
        const members = subsets.get(key) ?? [];
        if (members.includes(found) || members.includes(last)) return true;
        if (!members.some((index) => nodes[index]?.anchored)) return false;
        const ends = follow(members, { start: key.startsWith('^'), end: true });
        return ends.includes(found) || ends.includes(last);
      },
      ways: (key) => {
        const steps = (subsets.get(key) ?? []).flatMap((index) => nodes[index]?.step ?? []);
        return split(steps).map(({ low, high, targets }) => {
          const reached = new Set(targets.flatMap(closure));
          work += reached.size;
          if (work > maxWork) throw new TooManyStates();
          return { low, high, to: spell([...reached].sort((a, b) => a - b)) };
        });
      },
    },
    maxStates,
  );
}

/** Overlapping ranges -> disjoint ones with all their targets. */
function split(
  steps: readonly { readonly ranges: readonly CodePointRange[]; readonly to: number }[],
): (Omit<Way, 'to'> & { readonly targets: readonly number[] })[] {
  const edges = [...new Set(steps.flatMap(({ ranges }) => ranges.flatMap(([low, high]) => [low, high + 1])))];
  edges.sort((a, b) => a - b);
  return edges.flatMap((low, index) => {
    const high = (edges[index + 1] ?? low) - 1;
    const targets = steps.filter(({ ranges }) => ranges.some((range) => range[0] <= low && high <= range[1]));
    return targets.length > 0 && high >= low ? [{ low, high, targets: targets.map(({ to }) => to) }] : [];
  });
}
