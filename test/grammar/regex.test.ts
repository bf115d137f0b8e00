import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accepts,
  complement,
  intersect,
  isNothing,
  lengths,
  notContaining,
  ofTexts,
} from '../../src/grammar/regex/automaton.ts';
import { parseRegex, UnsupportedRegex } from '../../src/grammar/regex/regex.ts';
import { regexAutomaton } from '../../src/grammar/regex/regex-automaton.ts';
import { runs } from '../support/runs.ts';

const patterns = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      'a',
      'b',
      '\\n',
      '.',
      '[ab]',
      '[^a]',
      '\\d',
      '\\W',
      '^',
      '$',
      '',
      '\\u0061',
      '[\\s\\-b-c]',
      'é',
      '😀',
      '\\.',
    ),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => a + b),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('any'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?'))
      .map(([a, count]) => `(?:${a})${count}`),
    tie('any').map((a) => `(${a})`),
  ),
})).any;
const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n', '1', '-', '.', ' ', 'é', '😀'), maxLength: 6 });

describe('regular expressions as automata', () => {
  it('find what JavaScript finds', () => {
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 5, maxLength: 5 }), (pattern, samples) => {
        const automaton = regexAutomaton(parseRegex(pattern), 5_000);
        for (const text of samples)
          expect([pattern, text, accepts(automaton, text)]).toEqual([
            pattern,
            text,
            new RegExp(pattern, 'u').test(text),
          ]);
      }),
      { numRuns: runs(150) },
    );
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['^(?i)abc$', ['abc', 'aBC'], ['ab', 'abcd']],
    ['(?i)^[a-c]\\x64é$', ['adé', 'BDÉ'], ['ddé', 'aD']],
    ['^a(?i:b)c$', ['abc', 'aBc'], ['aBC']],
    ['^(?i)[^a]$', ['b'], ['a', 'A']],
    ['^(?s).(?-s).$', ['\na'], ['a\n']],
    ['(?x) ^ a + # some of these\n b $', ['aab'], ['a b']],
    ['\\A(?P<year>\\d{4})\\Z', ['2024'], ['24']],
  ])('%s: flags and names of Python and PCRE', (pattern, found, others) => {
    const automaton = regexAutomaton(parseRegex(pattern), 5_000);
    const texts = [...found, ...others];
    expect(texts.map((text) => [text, accepts(automaton, text)])).toEqual(
      texts.map((text) => [text, found.includes(text)]),
    );
  });

  it.each([
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(a)\\1',
    '\\bword\\b',
    '\\p{L}',
    '(?m)a',
    'a++',
    '(?>a)',
    'a**',
    '*a',
    '(a',
    'a)',
    '[b-a]',
    'a{3,1}',
    '\\uD800',
    '\\c',
    '[',
  ])('%s is left to the check afterwards', (pattern) => {
    expect(() => parseRegex(pattern)).toThrow(UnsupportedRegex);
  });
});

describe('automata', () => {
  const words = ofTexts(['ab', 'abc', 'x'], 100);
  it('of texts, their complement, and what two have in common', () => {
    const others = complement(words);
    const short = intersect(words, lengths(0, 2, 10), 100);
    for (const text of ['ab', 'abc', 'x', '', 'a', 'abcd', '😀']) {
      expect([text, accepts(words, text)]).toEqual([text, ['ab', 'abc', 'x'].includes(text)]);
      expect([text, accepts(others, text)]).toEqual([text, !accepts(words, text)]);
      expect([text, accepts(short, text)]).toEqual([text, accepts(words, text) && text.length < 3]);
    }
    expect(isNothing(intersect(words, others, 100))).toBe(true);
  });

  it('of texts without a marker, whatever the marker repeats of itself', () => {
    const markers = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(markers, fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 10 }), (list, text) => {
        expect(accepts(notContaining(list), text)).toBe(!list.some((marker) => text.includes(marker)));
      }),
      { numRuns: runs(100) },
    );
  });
});
