/** What a person does at the keyboard, as far as a line editor must not see it as plain keys. */
export type KeyEvent =
  | { readonly type: 'keys'; readonly text: string }
  /** What was put in at once (bracketed paste), with its line breaks as `\n`. */
  | { readonly type: 'paste'; readonly text: string }
  /** A line break within the message: Alt-Enter, Shift-Enter where the terminal tells it, Ctrl-J. */
  | { readonly type: 'newline' }
  | { readonly type: 'interrupt' }
  /** Ctrl-T. */
  | { readonly type: 'thoughts' };

const pasteStart = '\x1b[200~';
const pasteEnd = '\x1b[201~';

/** Spelling -> event; Shift-Enter as xterm's modifyOtherKeys and kitty's protocol write it. */
const orders: ReadonlyMap<string, KeyEvent> = new Map([
  ['\x1b\r', { type: 'newline' }],
  ['\x1b\n', { type: 'newline' }],
  ['\x1b[13;2u', { type: 'newline' }],
  ['\x1b[27;2;13~', { type: 'newline' }],
  ['\n', { type: 'newline' }],
  ['\x03', { type: 'interrupt' }],
  ['\x14', { type: 'thoughts' }],
]);
const spellings = [pasteStart, ...orders.keys()];
const longest = Math.max(...spellings.map(({ length }) => length));

/** Takes the characters of a terminal in raw mode apart, however they are cut. */
export class KeyReader {
  #rest = '';
  #pasted: string | undefined;

  push(text: string): KeyEvent[] {
    const events: KeyEvent[] = [];
    let unread = this.#rest + text;
    this.#rest = '';
    while (unread !== '') {
      const used = this.#pasted === undefined ? this.#readKeys(unread, events) : this.#readPaste(unread, events);
      if (used === 0) break;
      unread = unread.slice(used);
    }
    this.#rest = unread;
    return joined(events);
  }

  /** Gives how much of the text was used; 0 where the next characters decide what it is. */
  #readKeys(text: string, events: KeyEvent[]): number {
    if (text.startsWith(pasteStart)) {
      this.#pasted = '';
      return pasteStart.length;
    }
    for (const [spelling, event] of orders) {
      if (!text.startsWith(spelling)) continue;
      events.push(event);
      return spelling.length;
    }
    if (mayBecomeOrder(text)) return 0;
    // Whole characters: half of one is no key.
    const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
    events.push({ type: 'keys', text: character });
    return character.length;
  }

  #readPaste(text: string, events: KeyEvent[]): number {
    const end = text.indexOf(pasteEnd);
    if (end !== -1) {
      events.push({ type: 'paste', text: cleanPaste((this.#pasted ?? '') + text.slice(0, end)) });
      this.#pasted = undefined;
      return end + pasteEnd.length;
    }
    const begun = beginningAtEnd(text, pasteEnd);
    const whole = text.slice(0, text.length - begun);
    this.#pasted += whole;
    return whole.length;
  }
}

/** A lone ESC is a key of its own: nobody writes the rest of an order so slowly. */
function mayBecomeOrder(text: string): boolean {
  return text.length > 1 && text.length < longest && spellings.some((spelling) => spelling.startsWith(text));
}

/** How much of the end of `text` is a beginning of `mark`. */
function beginningAtEnd(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--)
    if (text.endsWith(mark.slice(0, length))) return length;
  return 0;
}

/** Terminals give line breaks as carriage returns. Nothing in a paste is an order to the editor or the terminal. */
function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/(?![\n\t])\p{Cc}/gu, '');
}

function joined(events: readonly KeyEvent[]): KeyEvent[] {
  const result: KeyEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (event.type === 'keys' && last?.type === 'keys')
      result[result.length - 1] = { type: 'keys', text: last.text + event.text };
    else result.push(event);
  }
  return result;
}
