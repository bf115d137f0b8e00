import { describe, expect, it } from 'vitest';
import { type KeyEvent, KeyReader } from '../../src/terminal/key-stream.ts';

/** Of the text cut at these places, neighbouring keys together. */
function read(...pieces: readonly string[]): KeyEvent[] {
  const reader = new KeyReader();
  const events: KeyEvent[] = [];
  for (const event of pieces.flatMap((piece) => reader.push(piece))) {
    const last = events.at(-1);
    if (event.type === 'keys' && last?.type === 'keys')
      events[events.length - 1] = { ...last, text: last.text + event.text };
    else events.push(event);
  }
  return events;
}

const cases: Readonly<Record<string, readonly [string, readonly KeyEvent[]]>> = {
  'plain keys and arrows': ['aä😀\x1b[A\x1b[1;5C\r', [{ type: 'keys', text: 'aä😀\x1b[A\x1b[1;5C\r' }]],
  'a paste of lines between keys': [
    'a\x1b[200~one\r\ntwo\rthree\ttab\x1b[201~b',
    [
      { type: 'keys', text: 'a' },
      { type: 'paste', text: 'one\ntwo\nthree\ttab' },
      { type: 'keys', text: 'b' },
    ],
  ],
  'orders within a paste as nothing': [
    '\x1b[200~\x03x\x14\x1b[31m\x1b[20\x1b[201~',
    [{ type: 'paste', text: 'x[31m[20' }],
  ],
  'two pastes': [
    '\x1b[200~a\x1b[201~\x1b[200~\x1b[201~',
    [
      { type: 'paste', text: 'a' },
      { type: 'paste', text: '' },
    ],
  ],
  'line breaks of every spelling': [
    '\n\x1b[13;2u\x1b[27;2;13~',
    [{ type: 'newline' }, { type: 'newline' }, { type: 'newline' }],
  ],
  'Ctrl-C and Ctrl-T': ['x\x03\x14', [{ type: 'keys', text: 'x' }, { type: 'interrupt' }, { type: 'thoughts' }]],
};

describe('keys of a terminal', () => {
  it.each(Object.entries(cases))('read %s, at every cut', (_, [text, expected]) => {
    expect(read(text)).toEqual(expected);
    const characters = [...text];
    for (let cut = 1; cut < characters.length; cut++) {
      const left = characters.slice(0, cut).join('');
      // A lone ESC is a key: terminals do not cut there.
      if (left.endsWith('\x1b')) continue;
      expect(read(left, characters.slice(cut).join('')), JSON.stringify(left)).toEqual(expected);
    }
  });

  it('gives a lone ESC at once, and Alt-Enter where it comes whole', () => {
    expect(read('\x1b')).toEqual([{ type: 'keys', text: '\x1b' }]);
    expect(read('\x1b\r')).toEqual([{ type: 'newline' }]);
  });
});
