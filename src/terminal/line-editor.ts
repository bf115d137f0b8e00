import { createInterface, type Interface } from 'node:readline';
import { Readable, type Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { type KeyEvent, KeyReader } from './key-stream.ts';
import { MessageLines } from './message-lines.ts';
import { Pastes } from './pastes.ts';

/** A terminal's keyboard, or what a test has for one. */
type Keyboard = Readable & { setRawMode?(raw: boolean): unknown };

export interface LineEditorOptions {
  readonly keyboard: Keyboard;
  readonly screen: Writable;
  /** The oldest line first. */
  readonly history: readonly string[];
  /** Told of each line that later sessions shall know. */
  readonly remember: (line: string) => void;
  /** What may stand for the beginning of a line. */
  readonly complete: (line: string) => readonly string[];
  /** Ctrl-T where a message is written. */
  readonly onThoughts: () => void;
}

interface BusyKeys {
  readonly onInterrupt: () => void;
  readonly onThoughts: () => void;
}

export interface LineEditor {
  /** The next message; undefined at the end of input (Ctrl-D). */
  ask(): Promise<string | undefined>;
  /** Until `ask` is called again keys do this; what is typed meanwhile stands in the next line. */
  busy(keys: BusyKeys): void;
  /** The first of these characters that is typed; Ctrl-C, and the end of input, are the last one of them. */
  askKey(allowed: string): Promise<string>;
  close(): void;
}

const prompts = { first: '> ', more: '… ' };
const bracketedPaste = { on: '\x1b[?2004h', off: '\x1b[?2004l' };
const mostHistory = 1000;

/** node:readline edits the lines: movement, deletion, history, wide characters. Here is what it does not know of. */
export function createLineEditor(options: LineEditorOptions): LineEditor {
  return new ReadlineEditor(options);
}

/** What readline reads: keys that are no orders of ours, each of them at once. */
class Keys extends Readable {
  readonly #keyboard: Keyboard;
  constructor(keyboard: Keyboard) {
    super();
    this.#keyboard = keyboard;
  }
  override _read(): void {
    // What there is was given already.
  }
  /** One by one: several at once readline puts after the line, wherever its cursor is. */
  feed(text: string): void {
    for (const character of text) this.emit('data', Buffer.from(character));
  }
  end(): void {
    this.emit('end');
  }
  /** readline calls it around Ctrl-Z. */
  setRawMode(raw: boolean): this {
    this.#keyboard.setRawMode?.(raw);
    return this;
  }
}

class ReadlineEditor implements LineEditor {
  readonly #options: LineEditorOptions;
  readonly #keys: Keys;
  readonly #readline: Interface;
  readonly #reader = new KeyReader();
  readonly #decoder = new StringDecoder('utf8');
  readonly #lines = new MessageLines();
  readonly #pastes = new Pastes();
  readonly #typedAhead: KeyEvent[] = [];
  #waiting: ((message: string | undefined) => void) | undefined;
  #busy: BusyKeys | undefined;
  #keyAsked: { readonly allowed: string; readonly done: (key: string) => void } | undefined;
  #breaks = false;
  #ended = false;

  constructor(options: LineEditorOptions) {
    this.#options = options;
    const { keyboard, screen, history, complete } = options;
    this.#keys = new Keys(keyboard);
    this.#readline = createInterface({
      input: this.#keys,
      output: screen,
      terminal: true,
      history: [...history].reverse(),
      historySize: mostHistory,
      removeHistoryDuplicates: true,
      completer: (line: string) => [complete(line), line],
    });
    this.#readline.on('line', (line) => this.#takeLine(line));
    this.#readline.on('close', () => this.#end());
    // Past the end of input there are no more keys, but the lines before it count.
    keyboard.on('end', () => this.#keys.end());
    keyboard.on('data', this.#onData);
    screen.write(bracketedPaste.on);
  }

  ask(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#busy = undefined;
      if (this.#ended) return this.#end();
      this.#prompt();
      for (const event of this.#typedAhead.splice(0)) this.#edit(event);
    });
  }

  busy(keys: BusyKeys): void {
    this.#busy = keys;
  }

  askKey(allowed: string): Promise<string> {
    return new Promise((done) => {
      this.#keyAsked = { allowed, done };
      if (this.#ended) this.#answerKey({ type: 'interrupt' });
    });
  }

  close(): void {
    const { keyboard, screen } = this.#options;
    keyboard.off('data', this.#onData);
    this.#readline.close();
    keyboard.setRawMode?.(false);
    keyboard.pause();
    screen.write(bracketedPaste.off);
  }

  readonly #onData = (bytes: Buffer) => {
    for (const event of this.#reader.push(this.#decoder.write(bytes))) this.#dispatch(event);
  };

  #dispatch(event: KeyEvent): void {
    if (this.#keyAsked) this.#answerKey(event);
    else if (this.#waiting) this.#edit(event);
    else if (event.type === 'interrupt') this.#busy?.onInterrupt();
    else if (event.type === 'thoughts') this.#busy?.onThoughts();
    else this.#typedAhead.push(event);
  }

  #answerKey(event: KeyEvent): void {
    const { allowed, done } = this.#keyAsked ?? { allowed: '', done: () => undefined };
    const typed = event.type === 'interrupt' ? allowed.slice(-1) : event.type === 'keys' ? event.text : '';
    const key = [...typed.toLowerCase()].find((character) => allowed.includes(character));
    if (key === undefined) return;
    this.#keyAsked = undefined;
    done(key);
  }

  #edit(event: KeyEvent): void {
    // A message that was complete in the middle of what was typed: the rest is for the next one.
    if (!this.#waiting) {
      this.#typedAhead.push(event);
      return;
    }
    switch (event.type) {
      case 'keys':
        this.#typeKeys(event.text);
        return;
      case 'paste':
        this.#readline.write(this.#pastes.put(event.text));
        return;
      case 'newline':
        this.#breakLine();
        return;
      case 'interrupt':
        this.#discardLine();
        return;
      case 'thoughts':
        this.#options.screen.write('\n');
        this.#options.onThoughts();
        this.#prompt(true);
        return;
      default:
        event satisfies never;
    }
  }

  /** Up to the end of the message; readline takes keys when it likes to, so the end is found here. */
  #typeKeys(text: string): void {
    const end = text.indexOf('\r');
    const line = end === -1 ? text : text.slice(0, end);
    // For every key readline may draw the line anew, which long ones typed ahead would take forever for.
    if (/\p{Cc}/u.test(line)) this.#keys.feed(line);
    else if (line !== '') this.#readline.write(line);
    if (end !== -1) this.#keys.feed('\r');
    if (end !== -1 && end + 1 < text.length) this.#edit({ type: 'keys', text: text.slice(end + 1) });
  }

  /** What stands after the cursor moves into the next line. */
  #breakLine(): void {
    const { line, cursor } = this.#readline;
    const rest = line.slice(cursor);
    if (rest !== '') this.#readline.write(null, { ctrl: true, name: 'k' });
    this.#breaks = true;
    this.#readline.write(null, { name: 'return' });
    if (rest === '') return;
    this.#readline.write(rest);
    this.#readline.write(null, { ctrl: true, name: 'a' });
  }

  #discardLine(): void {
    const { screen } = this.#options;
    const hadText = this.#readline.line !== '' || this.#lines.isOpen;
    this.#lines.clear();
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
    screen.write(hadText ? '\n' : '\nCtrl-D or /bye ends.\n');
    this.#prompt();
  }

  #takeLine(line: string): void {
    const gathered = this.#lines.push(this.#pastes.restore(line), this.#breaks);
    this.#breaks = false;
    if (line.trim() !== '' && !this.#pastes.isIn(line)) this.#options.remember(line);
    if (gathered.state === 'open') {
      this.#prompt();
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(gathered.text);
  }

  #prompt(keepLine = false): void {
    this.#readline.setPrompt(this.#lines.isOpen ? prompts.more : prompts.first);
    this.#readline.prompt(keepLine);
  }

  #end(): void {
    this.#ended = true;
    this.#answerKey({ type: 'interrupt' });
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) this.#options.screen.write('\n');
    waiting?.(undefined);
  }
}
