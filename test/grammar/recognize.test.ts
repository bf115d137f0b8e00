import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatten } from '../../src/grammar/gbnf/flat-rules.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { fits } from '../../src/grammar/gbnf/grammar-walker.ts';
import { recognizes } from '../../src/grammar/gbnf/recognize.ts';
import { schemaToGrammar } from './schema-grammar.ts';
import { schemaCases } from './schema-table.ts';

const rulesOf = (source: string) => flatten(checkGrammar(source), 'grammar');

describe('texts of grammars that can be read in very many ways', () => {
  const doubling = rulesOf('root ::= "a" root "b" | "a" root "c" | ""');
  it.each([
    ['', true],
    ['aabc', true],
    [`${'a'.repeat(200)}${'bc'.repeat(100)}`, true],
    [`${'a'.repeat(200)}${'bc'.repeat(99)}b`, false],
    ['aab', false],
    ['ba', false],
  ])('%j: %s', (text, expected) => {
    expect(recognizes(doubling, text)).toBe(expected);
  });

  it('takes a long text without nesting in one go', () => {
    expect(recognizes(rulesOf('root ::= [a-z ]* "."'), `${'some words '.repeat(3_000)}.`)).toBe(true);
  });

  it('gives up what would take too long, and tokens by number', () => {
    expect(
      recognizes(
        rulesOf('root ::= ("a" | "aa" | root2)* \nroot2 ::= "b" root2 "b" | "b" root2 | "b"'),
        'b'.repeat(3_000),
      ),
    ).toBe(undefined);
    expect(recognizes(rulesOf('root ::= <[7]> "a"'), 'a')).toBe(undefined);
  });

  it('says what the machine says, also where rules may be empty', () => {
    const sources = [
      'root ::= a b\na ::= "x"*\nb ::= ("x" | "")',
      'root ::= ("x" root | "y") ("y" | "")',
      'root ::= (a a)?\na ::= "" | "xy" | "x" a "y"',
      'root ::= [^x] | .{2} | "x"{3}',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.string({ unit: fc.constantFrom('x', 'y'), maxLength: 6 }),
        (source, text) => {
          expect([source, text, recognizes(rulesOf(source), text)]).toEqual([
            source,
            text,
            fits(checkGrammar(source), text),
          ]);
        },
      ),
    );
  });

  it('agrees on the table of schemas', () => {
    for (const { schema, accepts, refuses } of schemaCases.slice(0, 60)) {
      const grammar = checkGrammar(schemaToGrammar(schema).grammar);
      const rules = flatten(grammar, 'grammar');
      for (const value of [...accepts, ...refuses]) {
        const text = JSON.stringify(value);
        if (text.length < 200) expect([text, recognizes(rules, text)]).toEqual([text, fits(grammar, text)]);
      }
    }
  });
});
