import type { BlockWriter } from './block-writer.ts';
import { isSpace } from './marker-scanner.ts';

/** Whitespace that is held back because it may only separate the text from a block after it. More of it is text. */
const longestSeparator = 16;

/** Text blocks without the whitespace that only separates them from their neighbours. */
export class TextSink {
  #held = '';
  /** Whitespace at the beginning of the block separates it from the one before. */
  #separates = false;
  #lastShown = '';
  readonly #writer: BlockWriter;

  /** `inside`: the prompt has already begun the text. */
  constructor(writer: BlockWriter, inside: boolean) {
    this.#writer = writer;
    if (inside) this.#lastShown = ' ';
  }

  /** Nothing but whitespace since the beginning or the last block. */
  get atBlockStart(): boolean {
    return this.#lastShown === '';
  }

  get atLineStart(): boolean {
    return this.atBlockStart || this.#held.includes('\n');
  }

  write(text: string): void {
    if (text === '') return;
    let end = text.length;
    while (end > 0 && isSpace(text.charAt(end - 1))) end--;
    if (end > 0) {
      this.#show(this.#separates ? text.slice(firstVisible(text), end) : this.#held + text.slice(0, end));
      this.#held = '';
      this.#separates = false;
    }
    this.#held += text.slice(end);
    this.#release();
  }

  /** Takes the whitespace that is held: the caller gives it back with write() when it separates nothing. */
  holdSpace(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  beforeBlock(): void {
    this.#held = '';
  }

  afterBlock(): void {
    this.#held = '';
    this.#separates = true;
    this.#lastShown = '';
  }

  /** A hidden marker stood here: whitespace around it separates, what follows belongs to the same block. */
  afterPart(): void {
    this.#held = '';
    this.#separates = true;
  }

  /** Nothing but whitespace at a cut may have separated nothing from a block. */
  end(isCut: boolean): void {
    const isText = !this.#separates && !(isCut && this.atBlockStart);
    if (isText && this.#held !== '') this.#show(this.#held);
    this.#held = '';
  }

  #release(): void {
    if (this.#separates) this.#held = this.#held.slice(-1);
    const surplus = this.#held.length - longestSeparator;
    if (surplus <= 0) return;
    this.#show(this.#held.slice(0, surplus));
    this.#held = this.#held.slice(surplus);
  }

  #show(text: string): void {
    this.#writer.text(text);
    this.#lastShown = text.charAt(text.length - 1);
  }
}

/** Other kinds of whitespace than those of isSpace are text. */
function firstVisible(text: string): number {
  let begin = 0;
  while (begin < text.length && isSpace(text.charAt(begin))) begin++;
  return begin;
}
