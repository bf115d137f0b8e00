import { anyChar } from '../gbnf/code-points.ts';
import type { CodePointRange } from '../gbnf/gbnf.ts';
import type { Automaton, Way } from './automaton.ts';
import { build, TooManyStates } from './automaton.ts';
import type { RegexNode } from './regex.ts';

/** One state of the non-deterministic automaton: free steps, a step after an anchor, a step by character. */
interface Node {
  readonly free: number[];
  /** May only be taken before the first character (start) or after the last one (end). */
  anchored?: { readonly kind: 'start' | 'end'; readonly to: number };
  step?: { readonly ranges: readonly CodePointRange[]; readonly to: number };
}

const maxNodes = 20_000;
/** Nodes and ranges looked at, in sum: some hundredths of a second. Clients write these expressions. */
const maxWork = 300_000;
/** So much of it counts as one state: some expressions have few states and many nodes in each. */
const workOfState = 50;

/**
 * All texts in which the expression is found, as `RegExp.test` finds it: anywhere, unless anchored. Throws
 * TooManyStates when the automaton or the expression's counts outgrow `maxStates`.
 */
export function regexAutomaton(node: RegexNode, maxStates: number): Automaton {
  const network = new Network();
  const first = network.anything();
  const found = network.lay(node, network.after(first));
  const last = network.anything();
  network.link(found, last);
  return determine(network.nodes, { first, found, last, maxStates });
}

/** Thompson's construction: every part of an expression between two nodes. */
class Network {
  readonly nodes: Node[] = [];

  add(node: Omit<Node, 'free'> = {}): number {
    if (this.nodes.length >= maxNodes) throw new TooManyStates();
    return this.nodes.push({ ...node, free: [] }) - 1;
  }

  link(from: number, to: number): void {
    this.nodes[from]?.free.push(to);
  }

  /** A fresh node that can be reached from this one. */
  after(from: number, node: Omit<Node, 'free'> = {}): number {
    const fresh = this.add(node);
    this.link(from, fresh);
    return fresh;
  }

  /** A node where any text may pass by. */
  anything(): number {
    return this.add({ step: { ranges: anyChar, to: this.nodes.length } });
  }

  /** Lays the expression after `from` and gives the node where it ends. */
  lay(part: RegexNode, from: number): number {
    if (part.kind === 'sequence') return part.parts.reduce((at, each) => this.lay(each, at), from);
    const end = this.add();
    switch (part.kind) {
      case 'chars':
        this.after(from, { step: { ranges: part.ranges, to: end } });
        return end;
      case 'start':
      case 'end':
        this.after(from, { anchored: { kind: part.kind, to: end } });
        return end;
      case 'choice':
        for (const option of part.options) this.link(this.lay(option, this.after(from)), end);
        return end;
      case 'repeat':
        this.#repeat(part, from, end);
        return end;
      default:
        return part satisfies never;
    }
  }

  #repeat({ part, min, max }: RegexNode & { kind: 'repeat' }, from: number, end: number): void {
    let at = from;
    for (let count = 0; count < min; count++) at = this.lay(part, at);
    if (max === undefined) {
      const loop = this.after(at);
      this.link(this.lay(part, loop), loop);
      this.link(loop, end);
      return;
    }
    this.link(at, end);
    for (let count = min; count < max; count++) {
      at = this.lay(part, this.after(at));
      this.link(at, end);
    }
  }
}

/** Subset construction. A subset is spelled as its node numbers; `^` marks the one before any character. */
function determine(
  nodes: readonly Node[],
  { first, found, last, maxStates }: { first: number; found: number; last: number; maxStates: number },
): Automaton {
  let work = nodes.length;
  const spend = (more: number) => {
    work += more;
    if (work > maxWork) throw new TooManyStates();
  };
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
    spend(seen.size);
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
  const built = build<string>(
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
        const groups = new Map<readonly CodePointRange[], number[]>();
        for (const index of subsets.get(key) ?? []) {
          const step = nodes[index]?.step;
          if (step) targetsOf(groups, step.ranges).push(step.to);
        }
        for (const ranges of groups.keys()) spend(ranges.length);
        return split(groups).map(({ low, high, targets }) => {
          const reached = new Set<number>();
          for (const target of targets) for (const index of closure(target)) reached.add(index);
          spend(reached.size);
          return { low, high, to: spell([...reached].sort((a, b) => a - b)) };
        });
      },
    },
    maxStates,
  );
  return { ...built, effort: built.effort + Math.floor(work / workOfState) };
}

/** What a counted part was laid out as many times over has the same ranges each time: the very same array. */
function targetsOf(groups: Map<readonly CodePointRange[], number[]>, ranges: readonly CodePointRange[]): number[] {
  const known = groups.get(ranges) ?? [];
  groups.set(ranges, known);
  return known;
}

/** Overlapping ranges -> disjoint ones with all their targets, by going through the places where one begins or ends. */
function split(
  groups: ReadonlyMap<readonly CodePointRange[], readonly number[]>,
): (Omit<Way, 'to'> & { readonly targets: readonly number[] })[] {
  const edges: { readonly at: number; readonly opens: 1 | -1; readonly targets: readonly number[] }[] = [];
  for (const [ranges, targets] of groups)
    for (const [low, high] of ranges) edges.push({ at: low, opens: 1, targets }, { at: high + 1, opens: -1, targets });
  edges.sort((one, other) => one.at - other.at);
  const open = new Map<readonly number[], number>();
  const ways: (Omit<Way, 'to'> & { readonly targets: readonly number[] })[] = [];
  edges.forEach(({ at, opens, targets }, index) => {
    const count = (open.get(targets) ?? 0) + opens;
    if (count > 0) open.set(targets, count);
    else open.delete(targets);
    const next = edges[index + 1]?.at ?? at;
    if (open.size > 0 && next > at) ways.push({ low: at, high: next - 1, targets: [...open.keys()].flat() });
  });
  return ways;
}
