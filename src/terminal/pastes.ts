/** Pasted lines stand in the line that is edited as one short word, and are put back where it is sent. */
export class Pastes {
  readonly #texts = new Map<string, string>();

  /** What to show for a paste: itself where it is one line. */
  put(text: string): string {
    if (!text.includes('\n')) return text.replaceAll('\t', ' ');
    const lines = text.replace(/\n$/, '').split('\n').length;
    const word = `[paste ${this.#texts.size + 1}: ${lines} lines]`;
    this.#texts.set(word, text);
    return word;
  }

  restore(line: string): string {
    return line.replace(/\[paste \d+: \d+ lines\]/g, (word) => this.#texts.get(word) ?? word);
  }

  isIn(line: string): boolean {
    return this.restore(line) !== line;
  }
}
