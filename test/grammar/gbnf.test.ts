import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { printGrammar } from '../../src/grammar/gbnf/gbnf.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { parseGrammar } from '../../src/grammar/gbnf/gbnf-parse.ts';
import { hoistCounts, prefixRules } from '../../src/grammar/gbnf/gbnf-rewrite.ts';
import { fits, GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';

const list = `# a list
root ::= (
  item   # first
  ("," item)*
)
item ::= [a-c]+ | "\\"" [^"\\x41\\u00e9]{2,3} "\\"" | '' 
`;

function failure(source: string): ServeError {
  try {
    checkGrammar(source);
  } catch (error) {
    if (error instanceof ServeError) return error;
    throw error;
  }
  throw new Error(`accepted: ${source}`);
}

describe('raw GBNF', () => {
  it.each<[string, string[], string[]]>([
    ['root ::= "a"', ['a'], ['', 'aa', 'b']],
    ['root ::= "a" | "b"\n', ['a', 'b'], ['ab']],
    ['root ::= ""', [''], ['a']],
    ['root ::= "a"? "b"* "c"+ "d"{2} "e"{1,} "f"{0,2}', ['cddef', 'abbccddeeff'], ['cdde f', 'ddd', 'cddefff']],
    ['root ::= ("ab" | "c"){2,3}', ['abc', 'ccab'], ['ab', 'abababc c']],
    ['root ::= "ab"{2}', ['abab'], ['abb', 'ab']],
    ['root ::= [a-c\\]\\-x] [^a-c] .', ['bd\n', ']zz', '-x😀'], ['aab', 'bb', '\\']],
    ['root ::= "\\n\\t\\r\\"\\\\\\[\\]\\x41\\u00e9\\U0001F600"', ['\n\t\r"\\[]Aé😀'], ['n']],
    ['# comment\n\nroot ::= a # more\na ::= "x" |\n "y"\n\n', ['x', 'y'], ['xy']],
    ['root ::= (\n "a"\n  | "b" )\r\n', ['a', 'b'], ['c']],
    ['root ::= a-1 B2\na-1 ::= "x"\nB2 ::= "y"', ['xy'], ['x']],
    ['root ::= "(" root ")" | "."', ['.', '((.))'], ['(.', '.)']],
    ['root ::= [0-9-]+', ['1-2'], ['a']],
  ])('%j', (source, accepts, refuses) => {
    const grammar = checkGrammar(source);
    const again = parseGrammar(printGrammar(grammar), 'grammar');
    const moved = prefixRules(hoistCounts(grammar), 'x-');
    const renamed = checkGrammar(`root ::= x-root\n${printGrammar(moved)}`);
    for (const each of [grammar, again, renamed]) {
      expect(accepts.filter((text) => !fits(each, text))).toEqual([]);
      expect(refuses.filter((text) => fits(each, text))).toEqual([]);
    }
  });

  it.each([
    ['root = "a"', 'line 1, column 6: expected "::=" after the rule name'],
    ['root ::= "a', 'line 1, column 10: this text has no closing quote'],
    ['root ::= [a', 'line 1, column 10: this character class has no closing bracket'],
    ['root ::= []', 'line 1, column 10: this character class is empty'],
    ['root ::= [z-a]', 'line 1, column 14: this range ends before it begins'],
    ['root ::= ("a"', 'line 1, column 10: this parenthesis is not closed'],
    ['root ::= "a")', 'line 1, column 13: unexpected ")"; a rule ends with its line'],
    ['root ::= "a"\nb ::= "\\q"', 'line 2, column 8: unknown escape "\\q"'],
    ['root ::= "\\x4"', 'line 1, column 11: "\\x" needs 2 hex digits'],
    ['root ::= *', 'line 1, column 10: a count needs something before it'],
    ['root ::= "a"{3,2}', 'line 1, column 13: this count ends before it begins'],
    ['root ::= "a"{x}', 'line 1, column 13: a count is written {3}, {3,} or {3,5}'],
    ['root ::= "a"{2001}', 'line 1, column 13: a count goes up to 2000'],
    ['root ::= a\n\n  b ::= "x"', 'line 1, column 10: the rule "a" is used here but never defined'],
    ['root ::= "a"\nroot ::= "b"', 'line 2, column 1: the rule "root" is defined twice'],
    ['a ::= "a"', 'line 1, column 1: there is no rule named "root"'],
    ['', 'line 1, column 1: there is no rule named "root"'],
    ['root ::= my_rule', 'line 1, column 12: unexpected "_"; a rule ends with its line'],
    ['root ::= <think>', 'line 1, column 10: a token is written with its number'],
    [`root ::= ${'('.repeat(300)}`, 'more than 200 parentheses inside each other'],
  ])('%j: %s', (source, message) => {
    const error = failure(source);
    expect(error.message).toContain(message);
    expect([error.code, error.details.param]).toEqual(['invalid_request', 'grammar']);
  });

  it.each([
    ['left recursion', 'root ::= root "a" | "b"', 'can begin with itself (left recursion)'],
    ['hidden left recursion', 'root ::= a\na ::= b? a "x" | "y"\nb ::= "z"', 'can begin with itself (left recursion)'],
    ['a count of nothing', 'root ::= ("a" | "")*', 'can begin with itself (left recursion)'],
    ['a rule without end', 'root ::= "a" | b\nb ::= "b" b', 'The grammar\'s rule "b" can never end'],
    [
      'a doubling grammar',
      `root ::= r0\n${Array.from({ length: 40 }, (_, at) => `r${at} ::= r${at + 1} "a" | r${at + 1} "b"\n`).join('')}r40 ::= "c"`,
      'can begin in more than',
    ],
    ['very many elements', `root ::= ${'"a"{2000} '.repeat(300)}`, 'use smaller counts or fewer rules'],
    ['a very long text', `root ::= "${'a'.repeat(1_000_001)}"`, 'the limit is 1000000'],
  ])('refuses %s', (_, source, message) => {
    expect(failure(source).message).toContain(message);
  });

  it('tells what may still follow a text', () => {
    const machine = new GrammarWalker(checkGrammar(list.replace(" | '' ", '')));
    expect(machine.accept('ab,"x')).toBe(true);
    const rest = checkGrammar(printGrammar(machine.rest()));
    expect(fits(rest, 'y"')).toBe(true);
    expect(fits(rest, 'yz",c')).toBe(true);
    expect(fits(rest, '"')).toBe(false);
    expect(fits(rest, 'A"')).toBe(false);
  });
});
