/** A step of reading; each `yield` asks for more text. The reader is resumed by the next push or by the end. */
export type Reading<Result = void> = Generator<undefined, Result, undefined>;

/**
 * What follows the text: `open`, more of it; `complete`, nothing, the model was done; `cut`, nothing, though the model
 * might have gone on.
 */
export type TextEnd = 'open' | 'complete' | 'cut';

/** Literal texts that are searched for together. */
export class MarkerSet {
  readonly markers: readonly string[];
  readonly #firstCharacters: RegExp | undefined;

  constructor(markers: readonly string[]) {
    this.markers = [...new Set(markers)].filter((marker) => marker !== '');
    const first = new Set(this.markers.map((marker) => marker.charAt(0)));
    const escaped = [...first].map((character) => character.replace(/[\\\]^-]/, '\\$&')).join('');
    this.#firstCharacters = first.size > 0 ? new RegExp(`[${escaped}]`, 'g') : undefined;
  }

  /** The next place at or after `from` where a marker could begin; the text's length when there is none. */
  candidate(text: string, from: number): number {
    if (!this.#firstCharacters) return text.length;
    this.#firstCharacters.lastIndex = from;
    return this.#firstCharacters.exec(text)?.index ?? text.length;
  }

  /** The longest marker that stands at `at`; 'maybe' while more text could make one or a longer one, or could have. */
  at(text: string, at: number, end: TextEnd): string | 'maybe' | undefined {
    let found: string | undefined;
    for (const marker of this.markers) {
      if (text.startsWith(marker, at)) {
        if (found === undefined || marker.length > found.length) found = marker;
      } else if (end !== 'complete' && text.length - at < marker.length && marker.startsWith(text.slice(at))) {
        return 'maybe';
      }
    }
    return found;
  }
}

/**
 * The text of the model that no one has read yet. The only place that holds text back: at most as much as may still
 * become a marker. Text that was consumed while recording can be given back as it was (a call that turned out to be none).
 *
 * Where the text was cut, what is held at its end may have been the beginning of markup: it is consumed and not given to
 * anyone, and recorded text is given to nobody who asks isCut first.
 */
export class MarkerScanner {
  #text = '';
  #at = 0;
  #end: TextEnd = 'open';
  #recorded: string[] | undefined;
  readonly #shortestBeginning: number;

  /** `shortestBeginning`: so many characters at a cut may be the beginning of a marker, fewer are text. */
  constructor(shortestBeginning = 1) {
    this.#shortestBeginning = shortestBeginning;
  }

  push(text: string): void {
    this.#text = this.#at === this.#text.length ? text : this.#text.slice(this.#at) + text;
    this.#at = 0;
  }

  end(end: Exclude<TextEnd, 'open'>): void {
    this.#end = end;
  }

  get ended(): boolean {
    return this.#end !== 'open' && this.#at === this.#text.length;
  }

  /** The text ended before its time: what was not decided by now never will be. */
  get isCut(): boolean {
    return this.#end === 'cut';
  }

  /** Unread text; empty when more must come. */
  get rest(): string {
    return this.#at === 0 ? this.#text : this.#text.slice(this.#at);
  }

  get unread(): number {
    return this.#text.length - this.#at;
  }

  record(): void {
    this.#recorded = [];
  }

  /** Everything consumed since record(), which ends with this. */
  recorded(): string {
    const text = this.#recorded?.join('') ?? '';
    this.#recorded = undefined;
    return text;
  }

  /** Puts text that was consumed back in front of what is unread. */
  restore(text: string): void {
    this.push(text + this.#takeRest());
  }

  take(count: number): string {
    const text = this.#text.slice(this.#at, this.#at + count);
    this.#at += text.length;
    this.#recorded?.push(text);
    return text;
  }

  /**
   * Gives all text before the next marker to `onText` as soon as it is certain; stops in front of the marker. At a cut
   * the beginning of a marker is left out, unless `isText` says of that beginning that it could only have been text.
   */
  *untilMarker(
    markers: MarkerSet,
    onText: (text: string) => void,
    isText: (beginning: string) => boolean = () => false,
  ): Reading<string | undefined> {
    for (;;) {
      const { from, found } = this.#search(markers);
      if (from > this.#at) onText(this.take(from - this.#at));
      if (found !== undefined) return found;
      const rest = this.rest;
      if (this.#end === 'open') yield;
      else if (rest === '') return undefined;
      else if (rest.length < this.#shortestBeginning || isText(rest)) onText(this.take(1));
      else this.#takeRest();
    }
  }

  /**
   * A short text up to the next marker, which is consumed when it is one of `own`. undefined when there is no marker
   * within `longest` characters or the text ends: so much is consumed then.
   */
  *shortText(
    markers: MarkerSet,
    longest: number,
    own: readonly (string | undefined)[],
  ): Reading<{ text: string; marker: string } | undefined> {
    for (;;) {
      const { from, found } = this.#search(markers);
      if (from - this.#at > longest) {
        this.take(longest);
        return undefined;
      }
      if (found !== undefined) {
        const text = this.take(from - this.#at);
        if (own.includes(found)) this.take(found.length);
        return { text, marker: found };
      }
      if (this.#end !== 'open') {
        this.#takeRest();
        return undefined;
      }
      yield;
    }
  }

  /** Whether `literal` comes next; consumed when it does. */
  *literal(literal: string): Reading<boolean> {
    for (;;) {
      if (this.#text.startsWith(literal, this.#at)) {
        this.take(literal.length);
        return true;
      }
      if (!literal.startsWith(this.rest) || this.#end === 'complete') return false;
      if (this.#end === 'cut') {
        this.#takeRest();
        return false;
      }
      yield;
    }
  }

  /** Which of the markers comes next, without consuming it. */
  *next(markers: MarkerSet): Reading<string | undefined> {
    for (;;) {
      const found = markers.at(this.#text, this.#at, this.#end);
      if (found !== 'maybe') return found;
      if (this.#end === 'cut') {
        this.#takeRest();
        return undefined;
      }
      yield;
    }
  }

  /** The next character, not consumed; undefined at the end. */
  *peek(): Reading<string | undefined> {
    while (this.#at === this.#text.length) {
      if (this.#end !== 'open') return undefined;
      yield;
    }
    return this.#text.charAt(this.#at);
  }

  /** Consumes whitespace and returns the character after it, not consumed. */
  *skipSpace(): Reading<string | undefined> {
    yield* this.space();
    return yield* this.peek();
  }

  /** Consumes whitespace and returns it. */
  *space(): Reading<string> {
    let space = '';
    for (;;) {
      const next = yield* this.peek();
      if (next === undefined || !isSpace(next)) return space;
      let end = this.#at + 1;
      while (end < this.#text.length && isSpace(this.#text.charAt(end))) end++;
      space += this.take(end - this.#at);
    }
  }

  /**
   * Hands all unread text to `reader`, which returns how much of it it consumed and whether it wants more. Returns false
   * when the text ended before the reader was done.
   */
  *feed(reader: (text: string, end: TextEnd) => { consumed: number; done: boolean }): Reading<boolean> {
    for (;;) {
      const end = this.#end;
      if (this.#at < this.#text.length || end !== 'open') {
        const { consumed, done } = reader(this.rest, end);
        this.take(consumed);
        if (done) return true;
        if (end === 'cut') this.#takeRest();
        if (end !== 'open') return false;
      }
      yield;
    }
  }

  #takeRest(): string {
    return this.take(this.#text.length - this.#at);
  }

  #search(markers: MarkerSet): { from: number; found: string | undefined } {
    let from = this.#at;
    for (;;) {
      from = markers.candidate(this.#text, from);
      if (from === this.#text.length) return { from, found: undefined };
      const found = markers.at(this.#text, from, this.#end);
      if (found === 'maybe') return { from, found: undefined };
      if (found !== undefined) return { from, found };
      from++;
    }
  }
}

export function isSpace(character: string): boolean {
  return character === '\n' || character === ' ' || character === '\t' || character === '\r';
}
