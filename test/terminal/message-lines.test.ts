import { describe, expect, it } from 'vitest';
import { MessageLines } from '../../src/terminal/message-lines.ts';
import { Pastes } from '../../src/terminal/pastes.ts';

/** What each of the lines completes. */
function gather(...lines: readonly string[]): (string | undefined)[] {
  const gathered = new MessageLines();
  return lines.map((line) => {
    const now = gathered.push(line);
    return now.state === 'complete' ? now.text : undefined;
  });
}

describe('lines of a message', () => {
  it('are sent one by one, but for those that say otherwise', () => {
    expect(gather('a', '', 'b\\', 'c', 'd\\\\')).toEqual(['a', '', undefined, 'b\nc', 'd\\\\']);
  });

  it('between """ are one, with or without text beside the marks', () => {
    expect(gather('"""a', 'b\\', '', 'c"""', 'd')).toEqual([undefined, undefined, undefined, 'a\nb\\\n\nc', 'd']);
    expect(gather('"""', 'a', '"""')).toEqual([undefined, undefined, 'a']);
    expect(gather('"""a"""', '"""', '"""')).toEqual(['a', undefined, '']);
    expect(gather('say """', 'b')).toEqual(['say """', 'b']);
  });

  it('go on where a line break was asked for, and can be given up', () => {
    const lines = new MessageLines();
    expect(lines.push('a\\', true)).toEqual({ state: 'open' });
    expect(lines.push('b')).toEqual({ state: 'complete', text: 'a\\\nb' });
    lines.push('"""c');
    expect(lines.isOpen).toBe(true);
    lines.clear();
    expect(lines.push('d')).toEqual({ state: 'complete', text: 'd' });
  });
});

describe('pastes', () => {
  it('of several lines stand as a word until they are sent; a word that was changed is text', () => {
    const pastes = new Pastes();
    expect(pastes.put('one\tline')).toBe('one line');
    const first = pastes.put('a\nb\n');
    const second = pastes.put('$1\n$&');
    expect([first, second]).toEqual(['[paste 1: 2 lines]', '[paste 2: 2 lines]']);
    expect(pastes.restore(`x ${first} y ${second}`)).toBe('x a\nb\n y $1\n$&');
    expect(pastes.restore('[paste 1: 3 lines] [paste 9: 1 lines]')).toBe('[paste 1: 3 lines] [paste 9: 1 lines]');
    expect([pastes.isIn('plain'), pastes.isIn(first)]).toEqual([false, true]);
  });
});
