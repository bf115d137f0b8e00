import { describe, expect, it } from 'vitest';
import { inputPattern } from '../../../src/dialects/openai-responses/lark.ts';
import { patchGrammar } from './codex-requests.ts';

const patch = [
  '*** Begin Patch',
  '*** Add File: a.txt',
  '+one',
  '+',
  '*** Update File: b.txt',
  '*** Move to: c.txt',
  '@@ def f():',
  '-old',
  '+new',
  ' same',
  '*** End of File',
  '*** Delete File: d.txt',
  '*** End Patch',
  '',
].join('\n');

describe('the grammar of a free-form tool', () => {
  it.each([
    ['a patch', patchGrammar, [patch, patch.slice(0, -1)], ['', 'ls', patch.replace('+one', 'one'), `${patch}x`]],
    [
      'a script with an optional first line',
      String.raw`
        start: pragma_source | plain_source
        pragma_source: PRAGMA_LINE NEWLINE SOURCE
        plain_source: SOURCE

        PRAGMA_LINE: /[ \t]*\/\/ @exec:[^\r\n]*/
        NEWLINE: /\r?\n/
        SOURCE: /[\s\S]+/`,
      ['text(1)', '// @exec: {}\ntext(1)', '\n'],
      [''],
    ],
    [
      'arithmetic with rules, aliases and imports',
      `start: expr
       expr: term (SP ADD SP term)* -> add
           | term
       term: INT // one number
       SP: " "
       ADD: "+"
       %import common.INT`,
      ['4', '4 + 10', '1 + 2 + 3'],
      ['', '4+10', '4 + ', 'x'],
    ],
    [
      'a range and a count',
      'start: ("a".."f" ~ 2..3) ["-" DIGIT]\n%import common (DIGIT)',
      ['ab', 'abc', 'ab-1'],
      ['a', 'abcd', 'ag'],
    ],
    ['a regular expression with alternatives', 'start: "x" /a|b/ "y"', ['xay', 'xby'], ['xa', 'by']],
    [
      'marks of regular expressions inside quotes',
      'start: "(.*)[a]\\\\n" "\\n"',
      ['(.*)[a]\\n\n'],
      ['ab', '(.*)[a]\n\n'],
    ],
    ['a slash inside a regular expression', 'start: /[ \\t]*\\/\\/ @exec/', ['// @exec'], ['/ @exec']],
    [
      'terminals with a priority and hidden rules',
      '?start: _word+\n_word: WORD.\nWORD.2: /[a-z]+/'.replace('WORD.\n', 'WORD\n'),
      ['abc'],
      ['1'],
    ],
  ])('becomes one pattern for %s', (_, grammar, fitting, others) => {
    const pattern = new RegExp(inputPattern('lark', grammar) ?? 'none', 'u');
    expect(fitting.filter((text) => !pattern.test(text))).toEqual([]);
    expect(others.filter((text) => pattern.test(text))).toEqual([]);
  });

  it('takes a regular expression as it is, held to the whole text', () => {
    expect(inputPattern('regex', 'a|b')).toBe('^(?:a|b)$');
  });

  it.each([
    ['recursion', 'lark', 'start: "(" start ")" | "x"'],
    ['skipped text', 'lark', 'start: "x"\n%ignore " "'],
    ['a rule that is missing', 'lark', 'start: other'],
    ['no start', 'lark', 'other: "x"'],
    ['flags', 'lark', 'start: /x/i'],
    ['a case-insensitive text', 'lark', 'start: "x"i'],
    ['templates', 'lark', 'start: list{"x"}'],
    ['an unknown import', 'lark', 'start: X\n%import common.ESCAPED_STRING -> X'],
    ['a bracket that is not closed', 'lark', 'start: ("x"'],
    ['growth without bound', 'lark', doubling(40)],
    ['a regular expression that does not compile', 'regex', '(?P<name>x)'],
    ['another syntax', 'gbnf', 'root ::= "x"'],
    ['no syntax', undefined, 'x'],
  ])('is not enforced with %s', (_, syntax, grammar) => {
    expect(inputPattern(syntax, grammar)).toBeUndefined();
  });
});

/** Each rule names the one below it twice. */
function doubling(rules: number): string {
  const lines = Array.from({ length: rules }, (_, index) => `r${index}: r${index + 1} r${index + 1}`);
  return ['start: r0', ...lines, `r${rules}: "x"`].join('\n');
}
