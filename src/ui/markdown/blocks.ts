import { Lexer, type Links, type MarkedToken, type Token } from 'marked';
import { type MathToken, withMath } from './math-tokens.ts';

/** What stands at the top of a text: a paragraph, a list, a code block, a formula ... */
export type BlockToken = MarkedToken | MathToken;

/** Code whose end has not come yet: nothing in it needs to be looked at but where it ends. */
interface OpenFence {
  readonly mark: string;
  /** Longest end is at least this many of them. */
  readonly length: number;
  readonly indent: number;
  readonly language: string;
}

/**
 * A text that grows, in blocks. A block is closed when a whole line behind it belongs to another one; it is never looked
 * at again, so the price of a piece is that of the last block, not of the text. However a text is cut, its blocks are
 * the same.
 */
export class GrowingBlocks {
  #text = '';
  /** Everything before this belongs to closed blocks. */
  #closedTo = 0;
  /** So much was looked at for blocks to close. */
  #settledTo = 0;
  #closed: BlockToken[] = [];
  #open: BlockToken[] = [];
  #links: Links = {};
  #fence: OpenFence | undefined;
  /** In the open fence: where the first line begins that is not known to be code. */
  #fenceAt = 0;
  /** How often text was handed to the lexer, in characters: what tests hold the price to. */
  lexed = 0;

  get text(): string {
    return this.#text;
  }

  /** All blocks. Those that are closed are the very same objects as before. */
  get blocks(): readonly BlockToken[] {
    return this.#open.length === 0 ? this.#closed : [...this.#closed, ...this.#open];
  }

  get closedCount(): number {
    return this.#closed.length;
  }

  /** The text as it is now. Where it goes on from what was, only what is new is looked at. */
  update(text: string): void {
    const next = text.replace(/\r\n?/g, '\n');
    if (next === this.#text) return;
    if (!next.startsWith(this.#text)) this.#reset();
    this.#text = next;
    if (this.#fence && this.#growFence(this.#fence)) return;
    this.#lexTail();
  }

  #reset(): void {
    this.#closedTo = 0;
    this.#settledTo = 0;
    this.#closed = [];
    this.#open = [];
    this.#links = {};
    this.#fence = undefined;
  }

  #lexTail(): void {
    this.#fence = undefined;
    const lines = this.#text.lastIndexOf('\n') + 1;
    if (lines > this.#settledTo) this.#closeBlocks(lines);
    const rest = this.#text.slice(this.#closedTo);
    this.#open = this.#lex(rest).tokens.filter(({ type }) => type !== 'space');
    this.#fence = openFence(rest, this.#open);
    this.#fenceAt = Math.max(this.#closedTo, lines);
  }

  /** Only whole lines close a block: of `- a\n\n-` nobody knows yet whether the list goes on. */
  #closeBlocks(lines: number): void {
    this.#settledTo = lines;
    const tail = this.#text.slice(this.#closedTo, lines);
    const { tokens, newLinks } = this.#lex(tail);
    if (newLinks) {
      this.#lexAgain(lines);
      return;
    }
    for (const token of tokens.slice(0, closable(tokens, tail))) {
      this.#closedTo += token.raw.length;
      if (token.type !== 'space') this.#closed.push(token);
    }
  }

  /** A definition of a link may change any block before it. */
  #lexAgain(lines: number): void {
    this.#closedTo = 0;
    this.#closed = [];
    const lexer = createLexer();
    lexer.lex(this.#text.slice(0, lines));
    this.#links = { ...lexer.tokens.links };
    this.#closeBlocks(lines);
  }

  #lex(text: string): { tokens: BlockToken[]; newLinks: boolean } {
    this.lexed += text.length;
    const lexer = createLexer();
    Object.assign(lexer.tokens.links, this.#links);
    const known = Object.keys(this.#links).length;
    const tokens = lexer.lex(text).filter(isBlock);
    return { tokens, newLinks: Object.keys(lexer.tokens.links).length > known };
  }

  /** False: the fence has ended, or may have. */
  #growFence({ mark, length, indent, language }: OpenFence): boolean {
    const end = new RegExp(`^ {0,3}\\${mark}{${length},}[~\`]*[ \\t]*$`, 'm');
    if (end.test(this.#text.slice(this.#fenceAt))) return false;
    this.#fenceAt = this.#text.lastIndexOf('\n') + 1;
    const raw = this.#text.slice(this.#closedTo);
    // As the lexer has it: one line's end belongs to the line, several are lines.
    const code = raw.slice(raw.indexOf('\n') + 1).replace(/(?<=[^\n])\n$/, '');
    const text = indent === 0 ? code : code.replace(new RegExp(`^ {0,${indent}}`, 'gm'), '');
    this.#open = [{ type: 'code', raw, lang: language, text }];
    return true;
  }
}

/** The blocks of a text that is whole. */
export function blocksOf(text: string): readonly BlockToken[] {
  const blocks = new GrowingBlocks();
  blocks.update(text);
  return blocks.blocks;
}

/** How many tokens from the beginning are closed: all before the last that is more than empty lines. */
function closable(tokens: readonly BlockToken[], tail: string): number {
  let last = tokens.length - 1;
  while (last >= 0 && tokens[last]?.type === 'space') last -= 1;
  // Definitions may go on in the next line, and empty lines belong to what is before them.
  let count = Math.max(0, last);
  while (count > 0 && tokens[count - 1]?.type === 'def') count -= 1;
  const raw = tokens.slice(0, count).map((token) => token.raw);
  return tail.startsWith(raw.join('')) ? count : 0;
}

function openFence(rest: string, open: readonly BlockToken[]): OpenFence | undefined {
  const [token] = open;
  if (open.length !== 1 || token?.type !== 'code' || token.codeBlockStyle === 'indented') return undefined;
  const first = /^( {0,3})(`{3,}(?!`)|~{3,}(?!~))[^\n]*\n/.exec(rest);
  const [, indent = '', marks = ''] = first ?? [];
  if (!first || new RegExp(`\\n {0,3}\\${marks[0]}{${marks.length},}[ \\t]*(?:\\n|$)`).test(rest)) return undefined;
  return { mark: marks[0] ?? '`', length: marks.length, indent: indent.length, language: token.lang ?? '' };
}

/** As every text here is taken apart. */
export function createLexer(): Lexer {
  return new Lexer(withMath);
}

/** There is no extension but formulas. */
function isBlock(token: Token): token is BlockToken {
  return token.type !== 'generic';
}
