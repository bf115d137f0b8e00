import { isSpace, MarkerSet, type TextEnd } from '../marker-scanner.ts';

const literals: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null', undefined: 'null' };

export interface JsonTextOptions {
  /** Mend what models get wrong; without it everything is passed on as it is. */
  readonly heal: boolean;
  /** Markers that, outside of strings, end the value whatever is still open. */
  readonly stops?: readonly string[];
  /** A text that opens and closes strings without escapes in them (Gemma's `<|"|>`). */
  readonly quote?: string;
  readonly write: (text: string) => unknown;
}

/**
 * One JSON value, read in pieces and passed on as the model wrote it, at once. What models get wrong is mended on the
 * way: Python literals and quotes, unquoted keys, trailing commas, raw line breaks in strings, forgotten brackets.
 */
export class JsonText {
  /** Mended places so far. */
  repairs = 0;
  #done = false;
  #brackets: string[] = [];
  /** What ends the string that is open; "" outside of strings. */
  #quote = '';
  #escaped = false;
  /** A bare word that is not complete yet. */
  #word = '';
  /** A comma with the whitespace after it: dropped when a bracket closes next. */
  #comma = '';
  /** What comes next in the innermost object is a key. */
  #keyNext = false;
  readonly #options: JsonTextOptions;
  readonly #write: (text: string) => unknown;
  readonly #marks: MarkerSet;
  readonly #longQuote: MarkerSet;

  constructor(options: JsonTextOptions) {
    this.#options = options;
    this.#write = options.write;
    this.#marks = new MarkerSet([...(options.stops ?? []), options.quote ?? '']);
    this.#longQuote = new MarkerSet([options.quote ?? '']);
  }

  /** Consumes as much of `text` as belongs to the value and is certain. */
  readonly read = (text: string, end: TextEnd): { consumed: number; done: boolean } => {
    let at = 0;
    while (at < text.length && !this.#done) {
      const next = this.#step(text, at, end);
      if (next === at) break;
      at = next;
    }
    if (end === 'complete' && !this.#done) this.#flush();
    if (end === 'cut' && !this.#done) this.#flushCertain();
    return { consumed: at, done: this.#done };
  };

  #step(text: string, at: number, end: TextEnd): number {
    if (this.#quote === '') return this.#structure(text, at, end);
    if (this.#quote.length > 1) return this.#longString(text, at, end);
    return this.#escaped ? this.#escape(text, at) : this.#string(text, at);
  }

  /** Inside a string: everything up to the next character that means something. */
  #string(text: string, at: number): number {
    let end = at;
    while (end < text.length && !this.#special(text.charCodeAt(end))) end++;
    if (end > at) {
      this.#write(text.slice(at, end));
      return end;
    }
    const character = text.charAt(at);
    if (character === this.#quote) this.#closeString();
    else if (character === '\\') this.#escaped = true;
    else if (character === '"') this.#write('\\"');
    else this.#control(character);
    return at + 1;
  }

  #special(code: number): boolean {
    return code === 0x22 || code === 0x5c || code < 0x20 || (code === 0x27 && this.#quote === "'");
  }

  #control(character: string): void {
    if (this.#options.heal) this.repairs++;
    this.#write(this.#options.heal ? inString(character) : character);
  }

  #escape(text: string, at: number): number {
    const character = text.charAt(at);
    this.#escaped = false;
    if ('"\\/bfnrtu'.includes(character) || !this.#options.heal) {
      this.#write(`\\${character}`);
      return at + 1;
    }
    this.repairs++;
    this.#write(character === "'" ? "'" : character === '\n' ? '\\n' : `\\\\${inString(character)}`);
    return at + 1;
  }

  #longString(text: string, at: number, end: TextEnd): number {
    const to = this.#longQuote.candidate(text, at);
    if (to > at) {
      this.#write(inString(text.slice(at, to)));
      return to;
    }
    const found = this.#longQuote.at(text, at, end);
    if (found === 'maybe') return at;
    if (found === undefined) {
      this.#write(inString(text.charAt(at)));
      return at + 1;
    }
    this.#closeString();
    return at + found.length;
  }

  #structure(text: string, at: number, end: TextEnd): number {
    const character = text.charAt(at);
    if (isWordCharacter(character)) {
      this.#word += character;
      return at + 1;
    }
    if (this.#word !== '') return this.#endWord(character) ? at : this.#structure(text, at, end);
    if (isSpace(character)) {
      if (this.#comma === '') this.#write(character);
      else this.#comma += character;
      return at + 1;
    }
    const mark = this.#marks.at(text, at, end);
    if (mark === 'maybe') return at;
    if (mark === undefined) {
      this.#punctuation(character);
      return at + 1;
    }
    if (mark !== this.#options.quote) return this.#closeEarly(at);
    this.#openString(mark);
    return at + mark.length;
  }

  #punctuation(character: string): void {
    switch (character) {
      case '{':
      case '[':
        this.#flush();
        this.#brackets.push(character);
        this.#keyNext = character === '{';
        this.#write(character);
        return;
      case '}':
      case ']':
        this.#close(character);
        return;
      case ',':
        this.#flush();
        this.#comma = ',';
        this.#keyNext = this.#brackets.at(-1) === '{';
        return;
      case '"':
      case "'":
        this.#openString(character);
        return;
      default:
        this.#flush();
        if (character === ':') this.#keyNext = false;
        this.#write(character);
    }
  }

  #openString(quote: string): void {
    this.#flush();
    if (quote === "'" && !this.#options.heal) {
      this.#write(quote);
      return;
    }
    if (quote === "'") this.repairs++;
    this.#quote = quote;
    this.#write('"');
  }

  #closeString(): void {
    this.#quote = '';
    this.#write('"');
    this.#keyNext = false;
    if (this.#brackets.length === 0) this.#done = true;
  }

  #close(bracket: string): void {
    const opener = bracket === '}' ? '{' : '[';
    if (this.#options.heal && this.#comma !== '') {
      this.#comma = this.#comma.slice(1);
      this.repairs++;
    }
    this.#flush();
    // A bracket of the other kind: those inside it were forgotten.
    const forgotten = this.#options.heal && this.#brackets.includes(opener);
    while (forgotten && this.#brackets.at(-1) !== opener) this.#closeInnermost();
    this.#brackets.pop();
    this.#keyNext = false;
    this.#write(bracket);
    if (this.#brackets.length === 0) this.#done = true;
  }

  #closeInnermost(): void {
    const opener = this.#brackets.pop();
    if (opener === undefined) return;
    this.repairs++;
    this.#write(opener === '{' ? '}' : ']');
  }

  /** A stop came although brackets are open. */
  #closeEarly(at: number): number {
    if (this.#options.heal) {
      this.#comma = '';
      while (this.#brackets.length > 0) this.#closeInnermost();
    }
    this.#done = true;
    return at;
  }

  /** True when the word was the whole value. */
  #endWord(next: string): boolean {
    const word = this.#word;
    this.#word = '';
    this.#flush();
    const mended = this.#mendWord(word, next);
    if (mended !== word) this.repairs++;
    this.#write(mended);
    if (this.#brackets.length === 0) this.#done = true;
    return this.#done;
  }

  #mendWord(word: string, next: string): string {
    if (!this.#options.heal) return word;
    if (this.#keyNext && (next === ':' || isSpace(next))) return JSON.stringify(word);
    return Object.hasOwn(literals, word) ? (literals[word] ?? word) : word;
  }

  /** What was cut may still have been something else: a key, a literal, a comma before a bracket. */
  #flushCertain(): void {
    const word = this.#word;
    const mayBeMended = this.#keyNext || Object.keys(literals).some((literal) => literal.startsWith(word));
    if (word !== '' && !(this.#options.heal && mayBeMended)) this.#flush();
  }

  #flush(): void {
    if (this.#comma !== '') this.#write(this.#comma);
    this.#comma = '';
    if (this.#word !== '') this.#write(this.#word);
    this.#word = '';
  }
}

/** Text as it stands between the quotes of a JSON string. Halves of surrogate pairs pass: the other half follows. */
export function inString(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON wants escaped
  return text.replace(/["\\\u0000-\u001f]/g, (character) => JSON.stringify(character).slice(1, -1));
}

function isWordCharacter(character: string): boolean {
  return (character >= '0' && character <= '9') || /[\p{L}_.+$-]/u.test(character);
}
