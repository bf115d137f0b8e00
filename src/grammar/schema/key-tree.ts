import type { Expression } from '../gbnf/gbnf.ts';
import { choice, sequence, text } from '../gbnf/gbnf.ts';
import type { RuleBook } from './rule-book.ts';

/** Texts, and what follows each, by their characters: among many names the next character tells where one stands. */
export interface KeyTree {
  /** What follows the text that ends here. */
  readonly end: Expression | undefined;
  readonly next: ReadonlyMap<string, KeyTree>;
}

export const noKeys: KeyTree = { end: undefined, next: new Map() };

/** A new tree that shares with the old one what lies beside the key's way. */
export function withKey(tree: KeyTree, key: string, behind: Expression): KeyTree {
  const chars = [...key];
  const way: KeyTree[] = [];
  let last = tree;
  for (const char of chars) {
    way.push(last);
    last = last.next.get(char) ?? noKeys;
  }
  let made: KeyTree = { ...last, end: last.end ? choice(last.end, behind) : behind };
  for (const [at, branch] of [...way.entries()].reverse())
    made = { ...branch, next: new Map(branch.next).set(chars[at] ?? '', made) };
  return made;
}

/** Writes trees; the branches that several of them share become rules once. */
export class KeyTreeRules {
  #book: RuleBook;
  #hint: string;
  #written = new Map<KeyTree, Expression>();

  constructor(book: RuleBook, hint: string) {
    this.#book = book;
    this.#hint = hint;
  }

  /** One of the texts and what follows it. */
  write(tree: KeyTree): Expression {
    const options = [...tree.next].map(([char, branch]) => sequence(text(char), this.#branch(branch)));
    return choice(...(tree.end ? [tree.end] : []), ...options);
  }

  #branch(branch: KeyTree): Expression {
    const known = this.#written.get(branch);
    if (known) return known;
    let last = branch;
    let key = '';
    for (let [only] = last.next; only && last.next.size === 1 && !last.end; [only] = last.next) {
      key += only[0];
      last = only[1];
    }
    const written = this.#book.define(this.#hint, sequence(text(key), this.write(last)));
    this.#written.set(branch, written);
    return written;
  }
}
