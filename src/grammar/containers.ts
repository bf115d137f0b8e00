import type { Expression } from './gbnf.ts';
import { choice, empty, optional, sequence, text } from './gbnf.ts';
import type { JsonRules } from './json.ts';
import type { RuleBook } from './rule-book.ts';

export interface Member {
  /** `"name": value`, spelled. */
  readonly pair: Expression;
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

/**
 * Members in this order, optional ones left out at will, then the further ones. One rule per place where the choice
 * begins anew, so the grammar grows with the number of members and not with its square.
 */
export function memberRules(
  book: RuleBook,
  members: readonly Member[],
  style: MemberStyle,
  { further, nonEmpty = false }: MemberOptions = {},
): Expression {
  const { open, between, close, closeEmpty } = style;
  const minFurther = further?.min ?? 0;
  const moreFurther = (min: number, max: number | undefined) =>
    further ? book.count('further', book.define('further', sequence(between, further.pair)), min, max) : empty;
  const less = (count: number | undefined) => (count === undefined ? undefined : count - 1);

  /** Something was written; nothing declared is left. */
  let after: Expression = sequence(moreFurther(minFurther, further?.max), close);
  /** The next pair, without what stands before it, and all behind it; undefined: there is none. */
  let pick: Expression | undefined =
    further && further.max !== 0
      ? sequence(further.pair, moreFurther(Math.max(0, minFurther - 1), less(further.max)), close)
      : undefined;
  let mayEnd = minFurther === 0;
  for (const member of [...members].reverse()) {
    const written = sequence(member.pair, after);
    if (member.required) mayEnd = false;
    const later: Expression | undefined = !member.required && pick ? book.define('pick', pick) : undefined;
    const chosen: Expression = later ? choice(written, later) : written;
    pick = member.required ? chosen : book.define('pick', chosen);
    const next = sequence(between, pick);
    after = mayEnd ? book.define('after', choice(next, close)) : next;
  }
  const nothing = mayEnd && !nonEmpty;
  if (!pick) return sequence(open, nothing ? closeEmpty : close);
  return nothing ? sequence(open, choice(pick, closeEmpty)) : sequence(open, pick);
}

export interface ItemCounts {
  readonly min: number;
  readonly max: number | undefined;
}

/** An array: fixed first items, then `rest` for all others; rest undefined: none follow. */
export function arrayRules(
  json: JsonRules,
  prefix: readonly Expression[],
  { rest, min, max }: ItemCounts & { readonly rest: Expression | undefined },
): Expression {
  const comma = sequence(text(','), json.gap);
  const open = sequence(text('['), json.gap);
  const firsts = prefix.slice(0, max);
  const left = (count: number | undefined, taken: number) =>
    count === undefined ? undefined : Math.max(0, count - taken);
  const items = (taken: number) =>
    rest ? json.book.count('item', sequence(comma, rest), left(min, taken) ?? 0, left(max, taken)) : empty;
  const [head] = firsts;
  let inner: Expression | undefined;
  if (head) {
    let tail = items(firsts.length);
    for (let index = firsts.length - 1; index > 0; index--) {
      const written = sequence(comma, firsts[index] ?? empty, tail);
      tail = index < min ? written : optional(json.book.define('tuple', written));
    }
    inner = sequence(head, tail);
  } else if (rest && max !== 0) inner = sequence(rest, items(1));
  if (!inner) return sequence(open, text(']'));
  const filled = sequence(inner, json.gap, text(']'));
  return min > 0 ? sequence(open, filled) : sequence(open, choice(text(']'), filled));
}
