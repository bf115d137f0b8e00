import { PassThrough, Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createLineEditor, type LineEditor } from '../../src/terminal/line-editor.ts';
import { within } from '../http/support.ts';

const editors: LineEditor[] = [];
afterEach(() => {
  for (const editor of editors.splice(0)) editor.close();
});

function open(history: readonly string[] = []) {
  const modes: boolean[] = [];
  const keyboard = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => modes.push(raw) });
  let shown = '';
  const screen = new Writable({
    write(piece, _encoding, done) {
      shown += String(piece);
      done();
    },
  });
  const remembered: string[] = [];
  const told: string[] = [];
  const editor = createLineEditor({
    keyboard,
    screen,
    history,
    remember: (line) => remembered.push(line),
    complete: (line) => (line === '/he' ? ['/help'] : []),
    onThoughts: () => told.push('thoughts'),
  });
  editors.push(editor);
  const ask = () => within('the message', editor.ask());
  const type = (keys: string) => keyboard.write(keys);
  return { editor, ask, keyboard, modes, remembered, told, shown: () => shown, type };
}

describe('the line editor', () => {
  it('gives messages of one line and of several, whatever their line breaks are', async () => {
    const { ask, type, remembered } = open();
    const first = ask();
    type('hello\r');
    expect(await first).toBe('hello');
    const second = ask();
    type('a\\\rb\nc\x1b\rd');
    type('\r');
    expect(await second).toBe('a\nb\nc\nd');
    expect(remembered).toEqual(['hello', 'a\\', 'b', 'c', 'd']);
  });

  it('breaks a line where the cursor stands', async () => {
    const { ask, type } = open();
    const message = ask();
    type('onetwo\x1b[D\x1b[D\x1b[D\n');
    type('X\r');
    expect(await message).toBe('one\nXtwo');
  });

  it('puts a paste into the message as it was, and not into the history', async () => {
    const { ask, type, remembered, shown } = open();
    const message = ask();
    type('see \x1b[200~/bye\rline 2\r\x1b[201~ and \x1b[200~this\x1b[201~\r');
    expect(await message).toBe('see /bye\nline 2\n and this');
    expect(remembered).toEqual([]);
    expect(shown()).toContain('[paste 1: 2 lines]');
  });

  it('brings earlier lines back, and completes commands', async () => {
    const { ask, type } = open(['oldest', 'newest']);
    const message = ask();
    type('\x1b[A\x1b[A\r');
    expect(await message).toBe('oldest');
    const command = ask();
    type('/he\t');
    // readline completes in its own time.
    await new Promise((done) => setImmediate(done));
    type('\r');
    expect(await command).toBe('/help');
  });

  it('gives up a line on Ctrl-C, with the lines before it', async () => {
    const { ask, type, shown } = open();
    const message = ask();
    type('"""a\rb\x03');
    type('c\r');
    expect(await message).toBe('c');
    const next = ask();
    type('\x03d\r');
    expect(await next).toBe('d');
    expect(shown()).toContain('Ctrl-D or /bye ends.');
  });

  it('keeps what is typed while it is busy for the next lines, but for Ctrl-C and Ctrl-T', async () => {
    const { editor, ask, type, told } = open();
    const first = ask();
    type('one\rtwo\rthr');
    expect(await first).toBe('one');
    const seen: string[] = [];
    editor.busy({ onInterrupt: () => seen.push('interrupt'), onThoughts: () => seen.push('thoughts') });
    type('\x03\x14ee\r\x1b[200~pasted\x1b[201~\r');
    await new Promise((done) => setImmediate(done));
    expect(seen).toEqual(['interrupt', 'thoughts']);
    expect([await ask(), await ask(), await ask()]).toEqual(['two', 'three', 'pasted']);
    const last = ask();
    type('\x14x\r');
    expect(await last).toBe('x');
    expect(told).toEqual(['thoughts']);
  });

  it('asks for one key; Ctrl-C is the last of them', async () => {
    const { editor, type } = open();
    const key = within('the key', editor.askKey('yan'));
    type('x');
    type('Ay');
    expect(await key).toBe('a');
    const other = within('the key', editor.askKey('yan'));
    type('\x03');
    expect(await other).toBe('n');
  });

  it('ends at Ctrl-D, and at the end of the input, also while it asks for a key', async () => {
    const { ask, type } = open();
    const message = ask();
    type('\x04');
    expect(await message).toBeUndefined();
    expect(await ask()).toBeUndefined();
    const other = open();
    const key = within('the key', other.editor.askKey('yn'));
    other.keyboard.end();
    expect(await key).toBe('n');
    expect(await other.ask()).toBeUndefined();
  });

  it('leaves the terminal as it was', () => {
    const { editor, modes, shown } = open();
    expect(modes).toEqual([true]);
    expect(shown()).toBe('\x1b[?2004h');
    editor.close();
    expect(modes.at(-1)).toBe(false);
    expect(shown().endsWith('\x1b[?2004l')).toBe(true);
  });

  it('has the last of the keys where no more can be typed', async () => {
    const { editor, ask, keyboard } = open();
    const message = ask();
    keyboard.end();
    expect(await message).toBeUndefined();
    expect(await within('the key', editor.askKey('yan'))).toBe('n');
  });
});
