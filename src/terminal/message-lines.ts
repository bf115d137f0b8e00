/** What the lines that were entered so far are. */
export type Gathered =
  | { readonly state: 'complete'; readonly text: string }
  /** More lines belong to it. */
  | { readonly state: 'open' };

const fence = '"""';

/**
 * Lines to a message: one line, unless it ends with a backslash, was ended by a line break of its own, or opens `"""`,
 * which the next `"""` closes.
 */
export class MessageLines {
  #lines: string[] = [];
  #fenced = false;

  /** `continued`: the person asked for a line break instead of sending. */
  push(line: string, continued = false): Gathered {
    const opens = this.#lines.length === 0 && line.trimStart().startsWith(fence);
    const rest = opens ? line.trimStart().slice(fence.length) : line;
    if (opens) this.#fenced = true;
    if (this.#fenced) return this.#pushFenced(rest);
    const escaped = !continued && /(^|[^\\])\\$/.test(rest);
    this.#lines.push(escaped ? rest.slice(0, -1) : rest);
    return continued || escaped ? { state: 'open' } : this.#complete();
  }

  get isOpen(): boolean {
    return this.#lines.length > 0;
  }

  clear(): void {
    this.#lines = [];
    this.#fenced = false;
  }

  #pushFenced(line: string): Gathered {
    const end = line.trimEnd();
    if (!end.endsWith(fence)) {
      this.#lines.push(line);
      return { state: 'open' };
    }
    this.#lines.push(end.slice(0, -fence.length));
    // The fences may stand on lines of their own.
    const [first = '', ...others] = this.#lines;
    if (first === '' && others.length > 0) this.#lines.shift();
    if (this.#lines.at(-1) === '' && this.#lines.length > 1) this.#lines.pop();
    return this.#complete();
  }

  #complete(): Gathered {
    const text = this.#lines.join('\n');
    this.clear();
    return { state: 'complete', text };
  }
}
