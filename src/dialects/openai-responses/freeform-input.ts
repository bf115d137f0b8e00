/**
 * Reads the arguments of a free-form call, `{"input": "text"}` written piece by piece, and gives the text back piece by
 * piece. A model that writes something else loses nothing: what it wrote is the input then.
 */
export class FreeformInput {
  #state: 'before-text' | 'in-text' | 'after-text' | 'other-shape' = 'before-text';
  /** What has been received and not given back. */
  #pending = '';

  /** The new piece of the input; what is not decided yet stays back. */
  push(piece: string): string {
    if (this.#state === 'after-text') return '';
    this.#pending += piece;
    if (this.#state === 'before-text') this.#findText();
    return this.#state === 'in-text' ? this.#readText() : '';
  }

  /** The rest. push() and end() together give the whole input; half an escape at a cut stands for nothing. */
  end(): string {
    const whole = this.#state === 'before-text' || this.#state === 'other-shape';
    this.#state = 'after-text';
    return whole ? wholeInput(this.#pending) : '';
  }

  #findText(): void {
    const opening = /^\s*\{\s*"input"\s*:\s*"/.exec(this.#pending);
    if (opening) {
      this.#pending = this.#pending.slice(opening[0].length);
      this.#state = 'in-text';
    } else if (!couldOpen.test(this.#pending)) this.#state = 'other-shape';
  }

  #readText(): string {
    let text = '';
    let position = 0;
    while (position < this.#pending.length) {
      const rest = this.#pending.slice(position);
      if (rest.startsWith('"')) {
        this.#state = 'after-text';
        break;
      }
      const unit = /^[^"\\]+/.exec(rest)?.[0] ?? wholeEscape(rest);
      if (unit === undefined) break;
      text += unit.startsWith('\\') ? decodeEscape(unit) : unit;
      position += unit.length;
    }
    this.#pending = this.#pending.slice(position);
    return text;
  }
}

/** Every beginning of `{"input": "`. */
const couldOpen = /^\s*(?:\{\s*(?:"(?:i(?:n(?:p(?:u(?:t(?:"\s*(?::\s*)?)?)?)?)?)?)?)?)?$/;

/** The escape at the front, undefined while more of it may come. */
function wholeEscape(rest: string): string | undefined {
  const pair = /^\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/.exec(rest)?.[0];
  if (pair !== undefined) return pair;
  // The second half of a character may still come.
  if (/^\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?$/.test(rest)) return undefined;
  // Backslash and u that no four digits follow: both characters were meant.
  return /^(?:\\u[0-9a-fA-F]{4}|\\u(?=[0-9a-fA-F]{0,3}[^0-9a-fA-F])|\\[^u])/.exec(rest)?.[0];
}

function decodeEscape(spelled: string): string {
  try {
    return String(JSON.parse(`"${spelled}"`));
  } catch {
    // Not an escape of JSON, such as \d in a pattern: both characters were meant.
    return spelled;
  }
}

/** Other shapes of arguments: an object with one text under another name, a bare JSON string, or the raw text itself. */
function wholeInput(received: string): string {
  try {
    const value: unknown = JSON.parse(received);
    if (typeof value === 'string') return value;
    const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    const input = members.find(([name]) => name === 'input') ?? (members.length === 1 ? members[0] : undefined);
    return typeof input?.[1] === 'string' ? input[1] : received;
  } catch {
    return received;
  }
}
