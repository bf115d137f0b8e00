export interface SearchText {
  /** Of which state of the chat. */
  readonly revision: string;
  readonly shown: string;
  /** The same without capitals. */
  readonly folded: string;
}

/** Texts of all owners' chats that are kept for the next search: 32 million characters, the latest ones. */
const mostCharacters = 32_000_000;

export class TextCache {
  readonly #texts = new Map<string, SearchText>();
  #characters = 0;

  get(path: string, revision: string): SearchText | undefined {
    const found = this.#texts.get(path);
    if (found?.revision !== revision) return undefined;
    this.#texts.delete(path);
    this.#texts.set(path, found);
    return found;
  }

  set(path: string, revision: string, shown: string): SearchText {
    this.delete(path);
    const text = { revision, shown, folded: fold(shown) };
    this.#texts.set(path, text);
    this.#characters += shown.length;
    for (const [oldest] of this.#texts) {
      if (this.#characters <= mostCharacters) break;
      this.delete(oldest);
    }
    return text;
  }

  /** Another text would push out an earlier one. */
  get isFull(): boolean {
    return this.#characters >= mostCharacters;
  }

  delete(path: string): void {
    this.#characters -= this.#texts.get(path)?.shown.length ?? 0;
    this.#texts.delete(path);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ascii = /^[\x00-\x7f]*$/;

/** As texts are compared: without capitals, and with one spelling for each character. */
export function fold(text: string): string {
  return (ascii.test(text) ? text : text.normalize('NFC')).toLowerCase();
}
