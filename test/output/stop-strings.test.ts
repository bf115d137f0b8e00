import { describe, expect, it } from 'vitest';
import { createStopStrings } from '../../src/output/stop-strings.ts';
import { chunkings } from './machine.ts';

const cases = [
  { title: 'cuts in front of the stop string', stops: ['END'], text: 'one END two', shown: 'one ', stop: 'END' },
  { title: 'takes the one that comes first', stops: ['two', 'one'], text: 'a one two', shown: 'a ', stop: 'one' },
  {
    title: 'takes the longest of two that begin together',
    stops: ['ab', 'abc'],
    text: 'xabcd',
    shown: 'x',
    stop: 'abc',
  },
  { title: 'releases a beginning that does not go on', stops: ['END'], text: 'an EN, an E', shown: 'an EN, an E' },
  { title: 'finds one inside a false beginning', stops: ['aab'], text: 'aaab', shown: 'a', stop: 'aab' },
  { title: 'ignores an empty stop string', stops: [''], text: 'text', shown: 'text' },
  { title: 'knows characters beyond the first plane', stops: ['😀'], text: 'a😁b😀c', shown: 'a😁b', stop: '😀' },
  { title: 'passes everything on when there is none', stops: [], text: 'text', shown: 'text' },
];

describe('stop strings', () => {
  it.each(cases)('$title', ({ stops, text, shown, stop }) => {
    for (const pieces of chunkings(text)) {
      const machine = createStopStrings(stops);
      const results = pieces.map((piece) => machine.push(piece));
      const seen = results.map((result) => result.text).join('') + machine.end();
      // Without an end, a longer stop string may still be possible when the text runs out.
      expect([seen, results.find((result) => result.stop)?.stop]).toEqual([shown, stop]);
    }
  });

  it('shows a text at once that cannot become a stop string', () => {
    const machine = createStopStrings(['\n\n']);
    expect(machine.push('Hello')).toEqual({ text: 'Hello' });
    expect(machine.push('\n')).toEqual({ text: '' });
    expect(machine.push('World')).toEqual({ text: '\nWorld' });
    expect(machine.push('!\n\nmore')).toEqual({ text: '!', stop: '\n\n' });
    expect(machine.push('later')).toEqual({ text: '', stop: '\n\n' });
    expect(machine.end()).toBe('');
  });
});
