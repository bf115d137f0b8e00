import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/contract/json.ts';
import { PatternTests } from '../../src/grammar/regex/pattern-test.ts';
import { misfits } from '../../src/grammar/schema/validate.ts';
import { schemaToGrammar } from './schema-grammar.ts';

describe('the validator for what grammars cannot ensure', () => {
  it.each<[string, JsonValue, readonly JsonValue[], readonly (readonly [JsonValue, string])[]]>([
    [
      'uniqueItems',
      { uniqueItems: true },
      [[], [1, 2], [[1], [2]], 'x'],
      [
        [[1, 1], 'uniqueItems at /'],
        [
          [
            { a: 1, b: 2 },
            { b: 2, a: 1 },
          ],
          'uniqueItems at /',
        ],
      ],
    ],
    [
      'contains',
      { contains: { type: 'integer' }, minContains: 2, maxContains: 3 },
      [
        [1, 2],
        [1, 'a', 2, 3],
      ],
      [
        [[1], 'contains at /'],
        [[1, 2, 3, 4], 'contains at /'],
      ],
    ],
    ['multipleOf', { items: { multipleOf: 0.1 } }, [[0.3, 1, 0.7], ['x']], [[[0.25], 'multipleOf at /0']]],
    [
      'reference to nothing',
      { properties: { a: { $ref: '#/$defs/x' } }, required: ['a'] },
      [{ a: 1 }],
      [[{}, 'required at /']],
    ],
    ['not', { not: { required: ['a'] } }, [{}], [[{ a: 1 }, 'not at /']]],
    ['oneOf', { oneOf: [{ minimum: 0 }, { maximum: 10 }] }, [-1, 11], [[5, 'oneOf at /']]],
    [
      'if, then and else',
      {
        if: { properties: { a: { const: 1 } }, required: ['a'] },
        // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
        then: { required: ['b'] },
        else: { maxProperties: 1 },
      },
      [{ a: 1, b: 2 }, { c: 1 }],
      [
        [{ a: 1 }, 'required at /'],
        [{ c: 1, d: 2 }, 'maxProperties at /'],
      ],
    ],
    [
      'dependentRequired',
      { dependentRequired: { a: ['b'] } },
      [{}, { b: 1 }, { a: 1, b: 2 }],
      [[{ a: 1 }, 'dependentRequired at /']],
    ],
    [
      'dependentSchemas',
      { dependentSchemas: { a: { minProperties: 2 } } },
      [{ b: 1 }, { a: 1, b: 2 }],
      [[{ a: 1 }, 'minProperties at /']],
    ],
    ['propertyNames', { propertyNames: { pattern: '^[a-z]+$' } }, [{ ab: 1 }], [[{ A: 1 }, 'propertyNames at /']]],
    ['lookahead', { pattern: '^(?=.*\\d)[a-z\\d]+$' }, ['a1'], [['a', 'pattern at /']]],
    ['back references', { pattern: '^(a|b)\\1$' }, ['aa', 'bb'], [['ab', 'pattern at /']]],
    [
      'references',
      { items: { $ref: '#/$defs/a' }, $defs: { a: { type: 'string' } } },
      [['x']],
      [[['x', 1], 'type at /1']],
    ],
    [
      'names in paths',
      { properties: { 'a/b~c': { type: 'null' } } },
      [{ 'a/b~c': null }],
      [[{ 'a/b~c': 1 }, 'type at /a~1b~0c']],
    ],
  ])('%s', (_, schema, good, bad) => {
    // These come to an end: how busy the machine is must not decide.
    const wrong = (value: JsonValue) =>
      misfits(schema, value, new PatternTests(60_000)).map(({ keyword, path }) => `${keyword} at ${path}`);
    for (const value of good) expect([value, wrong(value)]).toEqual([value, []]);
    for (const [value, place] of bad) expect([value, wrong(value)]).toEqual([value, [place]]);
  });

  it('comes back from expressions that backtrack for ever, and from endless references', () => {
    expect(misfits({ pattern: endless }, `${'a'.repeat(40)}b`)).toEqual([]);
    expect(misfits({ $ref: '#' }, 1)).toEqual([]);
    expect(misfits({ anyOf: [{ $ref: '#' }, { $ref: '#' }] }, 1).length).toBeLessThan(30);
  });

  it('spends no more on many of them than on one', { timeout: 10_000 }, () => {
    const texts = Array.from({ length: 2_000 }, (_, index) => `${'a'.repeat(40)}b${index}`);
    expect(misfits({ items: { pattern: endless } }, texts)).toEqual([]);
    expect(schemaToGrammar({ enum: texts, pattern: endless }).grammar).toContain('aaab');
    const properties = Object.fromEntries(texts.slice(0, 200).map((name) => [name, { type: 'null' }]));
    expect(schemaToGrammar({ properties, patternProperties: { [endless]: {} } }).grammar).toContain('null');
  });
});

const endless = '^(?=(a+)+$)(a+)+$';
