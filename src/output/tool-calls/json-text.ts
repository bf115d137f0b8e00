import { isSpace } from '../marker-scanner.ts';

const literals: Readonly<Record<string, string>> = {
  True: 'true',
  False: 'false',
  None: 'null',
  undefined: 'null',
};

/**
 * One JSON object or array, read in pieces and passed on as the model wrote it. With `heal`, what models get wrong is
 * mended on the way: Python literals and quotes, unquoted keys, trailing commas, raw line breaks in strings, brackets
 * missing in front of the closing marker.
 */
export class JsonText {
  repairs = 0;
  #done = false;
  #brackets: string[] = [];
  #quote = '';
  #escaped = false;
  /** A bare word that is not complete yet. */
  #word = '';
  /** A comma with the whitespace after it: dropped when a bracket closes next. */
  #comma = '';
  /** What comes next in the innermost object is a key. */
  #keyNext = false;
  readonly #heal: boolean;
  readonly #stop: string;
  readonly #write: (text: string) => void;

  /** `stop`: the closing marker of the call; outside of strings it ends the value whatever is still open. */
  constructor(options: { heal: boolean; stop: string; write: (text: string) => void }) {
    this.#heal = options.heal;
    this.#stop = options.stop;
    this.#write = options.write;
  }

  get depth(): number {
    return this.#brackets.length;
  }

  /** Consumes as much of `text` as belongs to the value. */
  read(text: string, ended: boolean): { consumed: number; done: boolean } {
    let at = 0;
    while (at < text.length && !this.#done) {
      const next = this.#quote === '' ? this.#structure(text, at, ended) : this.#string(text, at);
      if (next === at) break;
      at = next;
    }
    if (ended && !this.#done) this.#flush();
    return { consumed: at, done: this.#done };
  }

  /** Inside a string: everything up to the next character that means something. */
  #string(text: string, at: number): number {
    if (this.#escaped) return this.#escape(text, at);
    let end = at;
    while (end < text.length && !this.#special(text.charCodeAt(end))) end++;
    if (end > at) {
      this.#write(text.slice(at, end));
      return end;
    }
    const character = text.charAt(at);
    if (character === this.#quote) {
      this.#quote = '';
      this.#write('"');
    } else if (character === '\\') {
      this.#escaped = true;
    } else if (character === '"' || this.#heal) {
      this.#write(JSON.stringify(character).slice(1, -1));
      if (character !== '"') this.repairs++;
    } else {
      this.#write(character);
    }
    return at + 1;
  }

  #special(code: number): boolean {
    return code === 0x22 || code === 0x5c || code < 0x20 || (code === 0x27 && this.#quote === "'");
  }

  #escape(text: string, at: number): number {
    const character = text.charAt(at);
    this.#escaped = false;
    if ('"\\/bfnrtu'.includes(character) || !this.#heal) {
      this.#write(`\\${character}`);
      return at + 1;
    }
    this.repairs++;
    if (character === "'") this.#write("'");
    else if (character === '\n') this.#write('\\n');
    else this.#write(`\\\\${character}`);
    return at + 1;
  }

  #structure(text: string, at: number, ended: boolean): number {
    const character = text.charAt(at);
    if (isWordCharacter(character)) {
      this.#word += character;
      return at + 1;
    }
    if (this.#word !== '') this.#endWord(character);
    if (isSpace(character)) {
      if (this.#comma === '') this.#write(character);
      else this.#comma += character;
      return at + 1;
    }
    if (this.#stop !== '' && character === this.#stop.charAt(0)) {
      if (text.startsWith(this.#stop, at)) return this.#closeEarly(at);
      if (!ended && this.#stop.startsWith(text.slice(at))) return at;
    }
    this.#punctuation(character);
    return at + 1;
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
        this.#flush();
        this.#openString(character);
        return;
      default:
        this.#flush();
        if (character === ':') this.#keyNext = false;
        this.#write(character);
    }
  }

  #openString(quote: string): void {
    if (quote === "'" && !this.#heal) {
      this.#write(quote);
      return;
    }
    if (quote === "'") this.repairs++;
    this.#quote = quote;
    this.#write('"');
  }

  #close(bracket: string): void {
    const opener = bracket === '}' ? '{' : '[';
    if (this.#heal && this.#comma !== '') {
      this.#comma = this.#comma.slice(1);
      this.repairs++;
    }
    this.#flush();
    // A bracket of the other kind: those inside it were forgotten.
    while (this.#heal && this.#brackets.includes(opener) && this.#brackets.at(-1) !== opener) this.#closeInnermost();
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

  /** The closing marker came although brackets are open. */
  #closeEarly(at: number): number {
    this.#comma = '';
    if (this.#heal) while (this.#brackets.length > 0) this.#closeInnermost();
    this.#done = true;
    return at;
  }

  #endWord(next: string): void {
    const word = this.#word;
    this.#word = '';
    this.#flush();
    const mended = this.#mendWord(word, next);
    if (mended !== word) this.repairs++;
    this.#write(mended);
  }

  #mendWord(word: string, next: string): string {
    if (!this.#heal) return word;
    if (this.#keyNext && (next === ':' || isSpace(next))) return JSON.stringify(word);
    return Object.hasOwn(literals, word) ? (literals[word] ?? word) : word;
  }

  #flush(): void {
    if (this.#comma !== '') this.#write(this.#comma);
    this.#comma = '';
    if (this.#word !== '') this.#write(this.#word);
    this.#word = '';
  }
}

function isWordCharacter(character: string): boolean {
  return (character >= '0' && character <= '9') || /[\p{L}_.+$-]/u.test(character);
}
