import type { Expression } from './gbnf.ts';
import { choiceOf, printBody, sequence, sequenceOf, text } from './gbnf.ts';

/** Where rules are kept. */
interface Rules {
  define(hint: string, expression: Expression): Expression;
}

/**
 * A choice between the options with their common beginnings written once: the names of a hundred tools are then read in
 * one way up to where they part, not in a hundred. Beginnings are common when they are spelled alike.
 */
export function factored(book: Rules, hint: string, options: readonly Expression[]): Expression {
  const all = options.flatMap((each) => (each.kind === 'choice' ? each.options : [each]));
  return merge(book, hint, all.map(partsOf));
}

type Parts = readonly Expression[];

function merge(book: Rules, hint: string, options: readonly Parts[]): Expression {
  const groups = new Map<string, Parts[]>();
  for (const option of options) {
    const key = beginning(option[0]) ?? `option ${groups.size}`;
    const group = groups.get(key);
    if (group) group.push(option);
    else groups.set(key, [option]);
  }
  return choiceOf([...groups.values()].map((group) => joined(book, hint, group)));
}

/** Options that begin alike. */
function joined(book: Rules, hint: string, group: readonly Parts[]): Expression {
  const [first = [], ...others] = group;
  const [head] = first;
  if (!head || others.length === 0) return sequenceOf(first);
  const texts = group.map(([each]) => (each?.kind === 'text' ? each.text : ''));
  const common = head.kind === 'text' ? text(commonBeginning(texts)) : head;
  const rests = group.map(([begin, ...rest], index) =>
    begin?.kind === 'text' && common.kind === 'text'
      ? partsOf(sequence(text((texts[index] ?? '').slice(common.text.length)), ...rest))
      : rest,
  );
  const rest = merge(book, hint, rests);
  return sequence(common, rest.kind === 'choice' ? book.define(hint, rest) : rest);
}

/** undefined: too much to be compared. */
function beginning(part: Expression | undefined): string | undefined {
  if (!part) return '';
  if (part.kind === 'text') return `"${String.fromCodePoint(part.text.codePointAt(0) ?? 0)}`;
  const inner = part.kind === 'repeat' ? part.part : part;
  return inner.kind === 'choice' || inner.kind === 'sequence' || inner.kind === 'repeat' ? undefined : printBody(part);
}

function partsOf(expression: Expression): Parts {
  return expression.kind === 'sequence' ? expression.parts : [expression];
}

/** Ends at a character, never between the halves of one. */
function commonBeginning(texts: readonly string[]): string {
  const [first = ''] = texts;
  let length = 0;
  for (const char of first) {
    if (!texts.every((each) => each.startsWith(char, length))) break;
    length += char.length;
  }
  return first.slice(0, length);
}
