import { tidy } from '../gbnf/code-points.ts';
import type { CodePointRange } from '../gbnf/gbnf.ts';
import type { RegexNode } from './regex.ts';

/** What can be told of a part of an expression by looking one character ahead. */
interface View {
  /** It may be empty. */
  readonly nullable: boolean;
  /** Characters that it may begin with, in order. */
  readonly first: readonly CodePointRange[];
  /** Characters with which a text of it may go on and still be one. */
  readonly more: readonly CodePointRange[];
}

const nothing: View = { nullable: true, first: [], more: [] };
/** Larger expressions are not looked at: the sets of their parts grow with them. */
const maxNodes = 2_000;
/** Nor are those with more ranges of characters. */
const maxRanges = 20_000;

/**
 * Does the next character always tell where in the expression a text stands? Then it can be written as it reads, with
 * counts of any size, and one reading is open at a time. (One-unambiguous expressions with counters; sufficient, not
 * necessary.) Anchors are for the caller to take off.
 */
export function readsOneWay(node: RegexNode): boolean {
  const left = { nodes: maxNodes, ranges: maxRanges };
  /** undefined: there are two ways. */
  const view = (each: RegexNode): View | undefined => {
    if (left.nodes-- <= 0) return undefined;
    switch (each.kind) {
      case 'chars':
        left.ranges -= each.ranges.length;
        return left.ranges < 0 ? undefined : { nullable: false, first: each.ranges, more: [] };
      case 'start':
      case 'end':
        return undefined;
      case 'sequence':
        return sequenceView(each.parts.map(view));
      case 'choice':
        return choiceView(each.options.map(view));
      case 'repeat':
        return repeatView(view(each.part), each.min, each.max);
      default:
        return each satisfies never;
    }
  };
  return view(node) !== undefined;
}

function sequenceView(parts: readonly (View | undefined)[]): View | undefined {
  let behind = nothing;
  for (const part of [...parts].reverse()) {
    if (!part || overlap(part.more, behind.first)) return undefined;
    behind = {
      nullable: part.nullable && behind.nullable,
      first: part.nullable ? union(part.first, behind.first) : part.first,
      more: behind.nullable ? union(part.more, behind.more, behind.first) : behind.more,
    };
  }
  return behind;
}

function choiceView(options: readonly (View | undefined)[]): View | undefined {
  let all: View = { nullable: false, first: [], more: [] };
  for (const option of options) {
    if (!option || overlap(option.first, all.first)) return undefined;
    all = {
      nullable: all.nullable || option.nullable,
      first: union(all.first, option.first),
      more: union(all.more, option.more),
    };
  }
  return all.nullable ? { ...all, more: union(all.more, all.first) } : all;
}

function repeatView(part: View | undefined, min: number, max: number | undefined): View | undefined {
  if (!part || max === 0) return part && nothing;
  const nullable = min === 0 || part.nullable;
  const isCounted = max !== 1;
  if (isCounted && (part.nullable || overlap(part.more, part.first))) return undefined;
  const mayGoOn = min !== max || nullable;
  return { nullable, first: part.first, more: mayGoOn ? union(part.more, part.first) : part.more };
}

function union(...sets: readonly (readonly CodePointRange[])[]): readonly CodePointRange[] {
  return tidy(sets.flat());
}

/** Of two that are in order. */
function overlap(a: readonly CodePointRange[], b: readonly CodePointRange[]): boolean {
  for (let [one, other] = [0, 0]; ; ) {
    const [x, y] = [a[one], b[other]];
    if (!x || !y) return false;
    if (x[0] <= y[1] && y[0] <= x[1]) return true;
    if (x[1] < y[0]) one++;
    else other++;
  }
}
