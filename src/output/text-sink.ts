import type { BlockWriter } from './block-writer.ts';
import { isSpace } from './marker-scanner.ts';

/** Whitespace that is held back because it may only separate the text from a block after it. More of it is text. */
const longestSeparator = 16;

/** How the whitespace of an answer is read that has a form: all of it is text, but for what ends a thought. */
export interface ExactText {
  readonly behindThought: string;
}

/**
 * Text blocks without the whitespace that only separates them from their neighbours. Where a text goes on after a thought,
 * a call or a hidden marker, it begins with the whitespace that stood between: joined, the texts read as they were written.
 */
export class TextSink {
  /** Whitespace that may separate the text from what comes next; after a block or marker that which follows it. */
  #held = '';
  /** Whitespace between the last text and a block or marker after it. */
  #before = '';
  /** Nothing but whitespace since a block or a hidden marker. */
  #separates = false;
  /** Some text was shown, now or in the prompt. */
  #begun: boolean;
  /** No text stands in front of this place, but for thoughts that are shown in the text. */
  #atStart: boolean;
  /** What is left of the whitespace that ends a thought, of exact text. */
  #ending = '';
  readonly #exact: ExactText | undefined;
  readonly #writer: BlockWriter;

  /** `inside`: the prompt has already begun the text. */
  constructor(writer: BlockWriter, inside: boolean, exact?: ExactText) {
    this.#writer = writer;
    this.#exact = exact;
    this.#begun = inside;
    this.#atStart = !inside;
  }

  /** Nothing but whitespace since the beginning, the last block, or a thought in the text. */
  get atBlockStart(): boolean {
    return this.#atStart;
  }

  get atLineStart(): boolean {
    return this.#atStart || this.#held.includes('\n');
  }

  write(written: string): void {
    const text = this.#ending === '' ? written : this.#behindEnding(written);
    if (text === '') return;
    let end = text.length;
    while (end > 0 && isSpace(text.charAt(end - 1))) end--;
    if (end > 0) this.#show(this.#separates ? this.#resumed(text.slice(0, end)) : this.#held + text.slice(0, end));
    this.#held += text.slice(end);
    this.#release();
  }

  /** Takes the whitespace that is held: the caller gives it back with write() when it separates nothing. */
  holdSpace(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** A block begins here, if `space` was taken with holdSpace() after that. */
  beforeBlock(space = this.#held): void {
    if (!this.#separates) this.#before = space;
    this.#held = '';
    this.#separates = true;
  }

  afterBlock(): void {
    this.beforeBlock();
    this.#atStart = true;
  }

  afterThought(): void {
    this.afterBlock();
    if (!this.#exact) return;
    this.#ending = this.#exact.behindThought;
    this.#separates = false;
  }

  /** The marker that opens the text stood here: in front of it is no text yet. */
  atOpening(): void {
    if (!this.#exact) return;
    this.#held = '';
    this.#ending = '';
  }

  /** A hidden marker stood here: what follows belongs to the same block. */
  afterPart(): void {
    if (this.#exact && !this.#separates && this.#held !== '') this.#show(this.#held);
    if (!this.#exact) this.beforeBlock();
  }

  /** A thought was written as text: what follows is read as at the beginning. */
  afterThoughtInText(): void {
    this.#atStart = true;
  }

  /** Nothing but whitespace at a cut may have separated nothing from a block. */
  end(isCut: boolean): void {
    const isText = !this.#separates && !(isCut && this.#atStart);
    if (isText && this.#held !== '') this.#show(this.#held);
    this.#held = '';
  }

  /** What a template writes after a thought may come in pieces, and a model that no grammar holds may leave it out. */
  #behindEnding(text: string): string {
    let at = 0;
    while (at < text.length && at < this.#ending.length && text.charAt(at) === this.#ending.charAt(at)) at++;
    this.#ending = at === text.length ? this.#ending.slice(at) : '';
    return text.slice(at);
  }

  /** Text after a block or marker, with what separates it from the text before, if there is any. */
  #resumed(text: string): string {
    const visible = firstVisible(text);
    const behind = this.#held + text.slice(0, visible);
    const between = this.#before === '' ? behind.slice(-longestSeparator) : this.#before;
    return (this.#begun ? between : '') + text.slice(visible);
  }

  #release(): void {
    const surplus = this.#held.length - longestSeparator;
    if (surplus <= 0) return;
    if (!this.#separates) this.#show(this.#held.slice(0, surplus), this.#held.slice(surplus));
    else this.#held = this.#held.slice(surplus);
  }

  #show(text: string, held = ''): void {
    this.#writer.text(text);
    this.#held = held;
    this.#separates = false;
    this.#begun = true;
    this.#atStart = false;
  }
}

/** Other kinds of whitespace than those of isSpace are text. */
function firstVisible(text: string): number {
  let begin = 0;
  while (begin < text.length && isSpace(text.charAt(begin))) begin++;
  return begin;
}
