import type { BlockWriter } from './block-writer.ts';
import { isSpace } from './marker-scanner.ts';

/** Whitespace that is held back because it may only separate the text from a block after it. More of it is text. */
const longestSeparator = 16;

/**
 * Text blocks without the whitespace that only separates them from their neighbours. Where a text goes on behind a thought,
 * a call or a hidden marker, it begins with the whitespace that stood between: joined, the texts read as they were written.
 */
export class TextSink {
  /** Whitespace that may separate the text from what comes next; behind a block or marker that which follows it. */
  #held = '';
  /** Whitespace between the last text and a block or marker behind it. */
  #before = '';
  /** Nothing but whitespace since a block or a hidden marker. */
  #separates = false;
  /** Some text was shown, now or in the prompt. */
  #begun: boolean;
  /** No text stands in front of this place, but for thoughts that are shown in the text. */
  #atStart: boolean;
  readonly #writer: BlockWriter;

  /** `inside`: the prompt has already begun the text. */
  constructor(writer: BlockWriter, inside: boolean) {
    this.#writer = writer;
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

  write(text: string): void {
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

  /** A block begins here, if `space` was taken with holdSpace() behind that. */
  beforeBlock(space = this.#held): void {
    if (!this.#separates) this.#before = space;
    this.#held = '';
    this.#separates = true;
  }

  afterBlock(): void {
    this.afterPart();
    this.#atStart = true;
  }

  /** A hidden marker stood here: what follows belongs to the same block. */
  afterPart(): void {
    this.beforeBlock();
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

  /** Text behind a block or marker, with what separates it from the text before, if there is any. */
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
