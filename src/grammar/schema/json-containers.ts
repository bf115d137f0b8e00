import type { Expression } from '../gbnf/gbnf.ts';
import { choice, empty, optional, sequence, text } from '../gbnf/gbnf.ts';
import type { JsonRules } from './json-rules.ts';
import { KeyTreeRules, noKeys, withKey } from './key-tree.ts';
import type { RuleBook } from './rule-book.ts';

export interface Member {
  /** `"name":`, or how else it begins up to the end of its name. */
  readonly begin: string;
  /** All that comes after it. */
  readonly rest: Expression;
  readonly required: boolean;
}

/** Further pairs, of any number within `min` to `max`. */
export interface FurtherMembers {
  readonly pair: Expression;
  readonly min: number;
  readonly max: number | undefined;
}

/** What stands around members and between them. */
export interface MemberStyle {
  readonly open: Expression;
  readonly between: Expression;
  readonly close: Expression;
  /** Closes when there was no member. */
  readonly closeEmpty: Expression;
}

export function jsonStyle(json: JsonRules): MemberStyle {
  return {
    open: sequence(text('{'), json.gap),
    between: sequence(text(','), json.gap),
    close: sequence(json.gap, text('}')),
    closeEmpty: text('}'),
  };
}

export interface MemberOptions {
  readonly further?: FurtherMembers | undefined;
  readonly nonEmpty?: boolean;
}

/** So many optional members in a row are told apart by their names' characters; fewer, or very many, by their order. */
const named = { min: 9, max: 200 };
/** Characters that must be left in the book for that. */
const roomForNames = 150_000;

/** Members in this order, optional ones left out at will, then the further ones. */
export function memberRules(
  book: RuleBook,
  members: readonly Member[],
  style: MemberStyle,
  { further, nonEmpty = false }: MemberOptions = {},
): Expression {
  const { open, close, closeEmpty } = style;
  const { first, mayBeEmpty } = memberPlaces(book, members, style, further);
  const nothing = mayBeEmpty && !nonEmpty;
  if (!first) return sequence(open, nothing ? closeEmpty : close);
  return nothing ? sequence(open, choice(first, closeEmpty)) : sequence(open, first);
}

export interface MemberPlaces {
  /** The first pair and all after it; undefined: there is none. */
  readonly first: Expression | undefined;
  readonly mayBeEmpty: boolean;
  /** What may come after a pair, by how many members are passed. */
  readonly behind: readonly Expression[];
}

/** One rule per place where the choice begins anew, so the grammar grows with the number of members and not with its square. */
export function memberPlaces(
  book: RuleBook,
  members: readonly Member[],
  { between, close }: MemberStyle,
  further?: FurtherMembers,
): MemberPlaces {
  const minFurther = further?.min ?? 0;
  const moreFurther = (min: number, max: number | undefined) =>
    further
      ? book.nestedCount('further', book.define('further', sequence(between, further.pair)), min, max).expression
      : empty;
  const less = (count: number | undefined) => (count === undefined ? undefined : count - 1);
  const trees = new KeyTreeRules(book, 'name');
  const most = mostAtATime(members);
  const isNamed = most >= named.min && most <= named.max && book.room > roomForNames;

  /** Something was written; nothing declared is left. */
  let after: Expression = sequence(moreFurther(minFurther, further?.max), close);
  const behind = [after];
  const onlyFurther: Expression | undefined =
    further && further.max !== 0
      ? book.define(
          'first-further',
          sequence(further.pair, moreFurther(Math.max(0, minFurther - 1), less(further.max)), close),
        )
      : undefined;
  /** The next pair, without what stands before it, and all after it; undefined: there is none. */
  let pick: Expression | undefined = onlyFurther;
  let tree = noKeys;
  let count = 0;
  let mayEnd = minFurther === 0;
  for (const { begin, rest, required } of [...members].reverse()) {
    const mayBeFurther = !required && mayEnd;
    count = required ? 1 : count + 1;
    if (required) mayEnd = false;
    if (isNamed) tree = withKey(required ? noKeys : tree, begin, book.define('member', sequence(rest, after)));
    if (isNamed && count >= named.min) {
      pick = book.define('pick', choice(trees.write(tree), ...(mayBeFurther && onlyFurther ? [onlyFurther] : [])));
    } else {
      const written = sequence(text(begin), rest, after);
      const later: Expression | undefined = !required && pick ? book.define('pick', pick) : undefined;
      const chosen: Expression = later ? choice(written, later) : written;
      pick = required ? chosen : book.define('pick', chosen);
    }
    const next = sequence(between, book.brief('members', pick));
    after = mayEnd ? book.define('after', choice(next, close)) : next;
    behind.push(after);
  }
  return { first: pick, mayBeEmpty: mayEnd, behind: behind.reverse() };
}

/** So many members may come next, at the place where they are most. */
function mostAtATime(members: readonly Member[]): number {
  let most = 0;
  let count = 0;
  for (const { required } of members) {
    most = Math.max(most, ++count);
    if (required) count = 0;
  }
  return most;
}

export interface ItemCounts {
  readonly min: number;
  readonly max: number | undefined;
}

/**
 * An array: fixed first items, then `rest` for all others; rest undefined: none follow. `exact` false: the upper limit is
 * too large to be written. `flat`: items hold no arrays and objects.
 */
export function arrayRules(
  json: JsonRules,
  prefix: readonly Expression[],
  { rest, flat, min, max }: ItemCounts & { readonly rest: Expression | undefined; readonly flat: boolean },
): { readonly expression: Expression; readonly exact: boolean } {
  const comma = sequence(text(','), json.gap);
  const open = sequence(text('['), json.gap);
  const firsts = prefix.slice(0, max);
  const left = (count: number | undefined, taken: number) =>
    count === undefined ? undefined : Math.max(0, count - taken);
  let exact = true;
  const items = (taken: number): Expression => {
    if (!rest) return empty;
    const counts = [left(min, taken) ?? 0, left(max, taken)] as const;
    const item = sequence(comma, rest);
    const written = json.book.nestedCount('item', item, ...counts);
    if (written.exact) return written.expression;
    if (flat) return json.book.count('item', item, ...counts);
    exact = false;
    return written.expression;
  };
  const [head] = firsts;
  let inner: Expression | undefined;
  if (head) {
    let tail = items(firsts.length);
    for (let index = firsts.length - 1; index > 0; index--) {
      const written = sequence(comma, firsts[index] ?? empty, tail);
      tail = index < min ? json.book.brief('tuple', written) : optional(json.book.define('tuple', written));
    }
    inner = sequence(head, tail);
  } else if (rest && max !== 0) inner = sequence(rest, items(1));
  if (!inner) return { expression: sequence(open, text(']')), exact };
  const filled = sequence(inner, json.gap, text(']'));
  return { expression: min > 0 ? sequence(open, filled) : sequence(open, choice(text(']'), filled)), exact };
}
