import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { JsonValue } from '../../src/contract/json.ts';
import { schemaToGrammar } from './schema-grammar.ts';

const param = 'response_format.json_schema.schema';

function refusal(schema: unknown): string {
  try {
    schemaToGrammar(schema as JsonValue);
  } catch (error) {
    if (error instanceof ServeError && error.code === 'invalid_request' && error.details.param === param)
      return error.message;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(schema)}`);
}

const chain = (length: number, link: (next: JsonValue) => JsonValue, last: JsonValue) => ({
  $ref: '#/$defs/a0',
  $defs: Object.fromEntries(
    Array.from({ length }, (_, at) => [`a${at}`, at === length - 1 ? last : link({ $ref: `#/$defs/a${at + 1}` })]),
  ),
});

describe('schemas that are refused', () => {
  it.each<[string, unknown, string]>([
    ['no schema', 'text', 'The schema at # must be an object, true or false, but is "text".'],
    [
      'unknown type',
      { properties: { a: { type: 'strin' } } },
      'The schema at #/properties/a needs one of null, boolean, integer, number, string, array, object, or a list of them for "type", not "strin".',
    ],
    ['empty enum', { enum: [] }, 'needs a list of values for "enum", not []'],
    ['negative length', { type: 'string', minLength: -1 }, 'needs a whole number, 0 or more for "minLength", not -1'],
    [
      'required as a flag',
      { properties: { a: { type: 'string', required: true } } },
      'at #/properties/a needs a list of property names for "required", not true',
    ],
    [
      'reference to another document',
      { $ref: 'https://example.com/s.json#/a' },
      'refers to another document with $ref "https://example.com/s.json#/a"; copy that schema into $defs',
    ],
    [
      'broken reference',
      { items: { $ref: '#/$defs/x' } },
      'The schema at #/items refers with $ref to "#/$defs/x", which the schema does not have.',
    ],
    ...['if', 'then', 'not', 'propertyNames', 'contains'].map((word): [string, unknown, string] => [
      `broken reference in ${word}`,
      { type: 'object', properties: { a: { [word]: { $ref: '#/$defs/x' } } } },
      `The schema at #/properties/a/${word} refers with $ref to "#/$defs/x", which the schema does not have.`,
    ]),
    [
      'broken reference in dependentSchemas',
      { dependentSchemas: { a: { $ref: '#/$defs/x' } } },
      'The schema at #/dependentSchemas/a refers',
    ],
    ...['^(abc$', '^[z-a]$', '^*a$', '^a++$', '^(?>a)$', '\\p{Foo}', '\\h', 'a(?<=b)++'].map(
      (pattern): [string, unknown, string] => [
        `pattern ${pattern}`,
        { properties: { a: { type: 'string', pattern } } },
        `The schema at #/properties/a needs a regular expression for "pattern", not ${JSON.stringify(pattern)}`,
      ],
    ),
    [
      'patternProperties that are no regular expression',
      { patternProperties: { '(': {} } },
      'The schema at # needs a regular expression for "patternProperties", not "(": ',
    ],
    ...[
      { not: {} },
      { not: true },
      { not: { title: 'any' } },
      { not: { not: { not: {} } } },
      { anyOf: [{ not: {} }, false] },
      { not: { anyOf: [{ type: ['string', 'number'] }, { type: ['object', 'array', 'boolean', 'null'] }] } },
      { if: { not: {} }, else: false },
      { $ref: '#/$defs/never', $defs: { never: { not: {} } } },
      { properties: { a: { not: {} } }, required: ['a'] },
      { type: 'array', contains: false },
      { type: 'array', contains: { not: {} } },
      { type: 'array', items: { type: 'string' }, contains: { type: 'integer' } },
      {
        type: 'array',
        prefixItems: [{ type: 'string' }, {}],
        items: false,
        contains: { type: 'integer', minimum: 1, maximum: 0 },
      },
      { type: 'array', contains: {}, minContains: 3, maxContains: 2 },
      { type: 'array', contains: {}, minContains: 3, maxItems: 2 },
      { anyOf: [{ type: 'array', contains: { $ref: '#/$defs/never' } }], $defs: { never: { allOf: [false] } } },
      { type: 'array', minItems: 1, items: { type: 'array', contains: { type: 'string', enum: [1] } } },
    ].map((schema): [string, unknown, string] => [JSON.stringify(schema), schema, 'fits no value at all']),
    ['reference to a value', { $ref: '#/title', title: 'x' }, 'which the schema does not have'],
    ['reference to itself', { $ref: '#' }, 'fits no value at all'],
    ['limits that exclude each other', { type: 'integer', minimum: 3, maximum: 2 }, 'fits no value at all'],
    ['types that exclude each other', { allOf: [{ type: 'string' }, { type: 'integer' }] }, 'fits no value at all'],
    ['false', false, 'fits no value at all'],
    ['pattern that no length fits', { type: 'string', pattern: '^a{5}$', maxLength: 3 }, 'fits no value at all'],
    [
      'required property that is forbidden',
      { type: 'object', required: ['a'], additionalProperties: false },
      'fits no value at all',
    ],
    [
      'endless required recursion',
      { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] },
      'fits no value at all',
    ],
    ['too few items possible', { type: 'array', prefixItems: [{}], items: false, minItems: 2 }, 'fits no value at all'],
  ])('%s', (_, schema, message) => {
    expect(refusal(schema)).toContain(message);
  });
});

describe('schemas made to hurt', { timeout: 30_000 }, () => {
  const doubled = (next: JsonValue) => ({ allOf: [next, next] });
  const strings = Array.from({ length: 30 }, (_, at) => ({
    anyOf: [{ minLength: at }, { maxLength: at }, { pattern: `${at}` }],
  }));
  const union = (next: JsonValue) => ({
    anyOf: [next, { anyOf: [next, { type: 'null' }], title: 'x' }, { type: 'array', items: next }],
  });
  it.each<[string, unknown, string]>([
    ['a billion laughs', chain(60, doubled, { type: 'string' }), 'unfolds into too many parts'],
    ['products of unions', { type: 'string', allOf: strings }, 'alternatives; the limit is 256'],
    [
      'thousand levels',
      JSON.parse(`${'{"items":'.repeat(1000)}{}${'}'.repeat(1000)}`),
      'nests schemas more than 150 deep',
    ],
    [
      'very many subschemas',
      { anyOf: Array.from({ length: 30_000 }, () => ({ type: 'null' })) },
      'has more than 20000 subschemas',
    ],
    [
      'a very long grammar',
      {
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: 5_000 }, (_, at) => [`property-${at}`, { type: 'string', maxLength: at }]),
        ),
      },
      'would be longer than',
    ],
  ])('%s are refused', (_, schema, message) => {
    expect(refusal(schema)).toContain(message);
  });

  it.each<[string, JsonValue]>([
    ['a doubling union', chain(40, union, { type: 'string' })],
    ['a doubling expression', { type: 'string', pattern: '(a|b)*a(a|b){20}$' }],
    ['counts in counts', { type: 'string', pattern: '^((a{1,100}){1,100}){1,100}$' }],
    ['a huge count', { type: 'string', pattern: '^(a|b){1,99999}c$' }],
    [
      'an expression that backtracks for ever',
      { type: 'string', pattern: '^(a+)+(?=b)$', enum: [`${'a'.repeat(40)}c`, 'b'] },
    ],
    ['a million characters', { type: 'string', minLength: 900_000, maxLength: 1_000_000 }],
    ['a million items', { type: 'array', items: { type: 'string', maxLength: 5000 }, maxItems: 1_000_000 }],
  ])('%s stay small', (_, schema) => {
    try {
      expect(schemaToGrammar(schema).grammar.length).toBeLessThan(50_000);
    } catch (error) {
      if (!(error instanceof ServeError)) throw error;
      expect(error.message).toContain('fits no value');
    }
  });
});
