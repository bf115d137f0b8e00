import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatten } from '../../src/grammar/gbnf/flat-rules.ts';
import type { Grammar } from '../../src/grammar/gbnf/gbnf.ts';
import { printGrammar } from '../../src/grammar/gbnf/gbnf.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { shareBeginnings } from '../../src/grammar/gbnf/gbnf-rewrite.ts';
import { fits, GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';
import { refuseTooManyReadings } from '../../src/grammar/gbnf/readings-count.ts';
import { readOneWay } from '../../src/grammar/one-way.ts';
import { runs } from '../support/runs.ts';
import { randomText } from './random-text.ts';

const words = 'root ::= ([a-z]+ ","? ){1,10}';
const inRecursion = 'root ::= "[" (words | root) "]"\nwords ::= ([a-z]+ ","? ){1,10}';

function most(grammar: Grammar, text: string): number {
  const machine = new GrammarWalker(flatten(grammar, 'grammar', { shared: false }));
  return Math.max(...[...text].map((char) => (machine.accept(char) ? machine.openReadings : 0)));
}

describe('grammars that clients write', () => {
  it('become automata where they are regular and could be read in several ways', () => {
    const own = checkGrammar(words);
    const { grammar, isCertain } = readOneWay(own);
    const text = 'some,words,,'.slice(0, -1).repeat(2);
    expect([isCertain, most(own, text) > 10, most(grammar, text) < 5]).toEqual([true, true, true]);
  });

  it('do so in the rules of a grammar that mentions itself', () => {
    const { grammar, isCertain } = readOneWay(checkGrammar(inRecursion));
    expect([isCertain, most(grammar, '[[some,words,of,many') < 8]).toEqual([false, true]);
  });

  it('stay as they are where the next character tells the place, with counts of any size', () => {
    const own = checkGrammar('root ::= [a-z]{1,900} ("-" [0-9]{1,900})?');
    expect(readOneWay(own)).toEqual({ grammar: own, isCertain: true });
  });

  it('are taken with a thousand alternatives that share their beginnings', () => {
    const labels = Array.from({ length: 1_000 }, (_, index) => `"label ${index}"`).join(' | ');
    const own = checkGrammar(`root ::= "x" root | ${labels}`);
    expect(() => refuseTooManyReadings(own)).toThrow('more than 100 ways');
    expect(() => refuseTooManyReadings(shareBeginnings(own))).not.toThrow();
  });

  it('mean the same in the new spelling', () => {
    const sources = [
      words,
      inRecursion,
      'root ::= ("a" | "ab" | "b"?){2,5} "c"*',
      'root ::= a b a\na ::= "x"* | "xy"\nb ::= [yz<]? ("y" | "yy"){0,3}',
      'root ::= "<" root ">" | any{3}\nany ::= [a-z] | "aa" | ""',
      'root ::= "aa" root | "ab" root | "a" [d-z] | "abc" | ("aa" | "ab" "c")',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...sources), fc.infiniteStream(fc.nat()), (source, numbers) => {
        const own = checkGrammar(source);
        const other = checkGrammar(printGrammar(shareBeginnings(readOneWay(own).grammar)));
        const draw = (limit: number) => (numbers.next().value ?? 0) % limit;
        for (const [from, to] of [
          [own, other],
          [other, own],
        ] as const) {
          const text = randomText(from, draw, 40);
          expect([source, text, fits(to, text)]).toEqual([source, text, true]);
        }
        const mixed = Array.from({ length: draw(8) }, () => 'abcxy<>[],'[draw(10)]).join('');
        expect([source, mixed, fits(other, mixed)]).toEqual([source, mixed, fits(own, mixed)]);
      }),
      { numRuns: runs(150) },
    );
  });
});
