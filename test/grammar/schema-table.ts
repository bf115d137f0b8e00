import type { JsonValue } from '../../src/contract/json.ts';

/** One schema with values that its grammar accepts (all valid) and refuses (invalid, or `stricter` than the schema). */
export interface SchemaCase {
  readonly name: string;
  readonly schema: JsonValue;
  readonly accepts: readonly JsonValue[];
  readonly refuses: readonly JsonValue[];
  /** Valid values that the grammar does not offer. */
  readonly stricter?: readonly JsonValue[];
  /** Texts as they stand. */
  readonly acceptsText?: readonly string[];
  readonly refusesText?: readonly string[];
  /** `path keyword` of what is only checked afterwards. */
  readonly loosened?: readonly string[];
}

type Row = readonly [string, JsonValue, readonly JsonValue[], readonly JsonValue[], Partial<SchemaCase>?];

function rows(list: readonly Row[]): SchemaCase[] {
  return list.map(([name, schema, accepts, refuses, more]) => ({ name, schema, accepts, refuses, ...more }));
}

const text = { type: 'string' };
const person = {
  type: 'object',
  properties: {
    name: text,
    age: { type: 'integer', minimum: 0, maximum: 150 },
    email: { type: 'string', format: 'email' },
  },
  required: ['name'],
  additionalProperties: false,
};
const a = (length: number) => 'a'.repeat(length);
const range = (length: number) => Array.from({ length }, (_, index) => index);
const nested = (depth: number): JsonValue =>
  depth === 0 ? { type: 'null' } : { type: 'array', items: nested(depth - 1) };
const nestedValue = (depth: number): JsonValue => (depth === 0 ? null : [nestedValue(depth - 1)]);

const scalars = rows([
  [
    'anything (true)',
    true,
    [null, true, 1.5, 'x', [], {}, { a: [1, { b: null }] }],
    [],
    { refusesText: ['', '{', '[1,]', '{"a":}', 'tru', '01', '+1', '.5', '"\n"', "'a'"] },
  ],
  ['anything (empty schema)', {}, [null, [[[]]], { '': '' }], []],
  ['annotations only', { title: 'T', description: 'd', default: 1, examples: [1], 'x-order': 3 }, [1, 'a'], []],
  ['null', { type: 'null' }, [null], [0, 'null', false]],
  ['boolean', { type: 'boolean' }, [true, false], [null, 0, 'true']],
  [
    'string',
    text,
    ['', 'a', 'ä€😀', '"\\\b\f\n\r\t\u0001\u007f', a(500)],
    [1, null],
    {
      acceptsText: ['"\\u00e9\\/"', '"\\ud83d\\ude00"'],
      refusesText: ['"\\ud83d"', '"\\ude00"', '"\\x41"', '"a', '"a\tb"'],
    },
  ],
  [
    'integer',
    { type: 'integer' },
    [0, 1, -1, 123456789, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    [1.5, '1', null],
    { refusesText: ['-', '00', '1e3', '-01', '1.0'] },
  ],
  [
    'number',
    { type: 'number' },
    [0, -1, 1.5, 1e21, 1e-7, -2.5e-8, 123456.789, 5e-324, 1e307],
    ['1', null],
    { refusesText: ['1.', '.5', '1e', '1e999', '-', '1e400'] },
  ],
  ['type list', { type: ['string', 'null'] }, ['a', null], [1, true]],
  ['type list with both numbers', { type: ['integer', 'number'] }, [1, 1.5], ['1']],
  ['nullable', { type: 'string', nullable: true }, ['a', null], [1]],
  ['const string', { const: 'a"b\n' }, ['a"b\n'], ['a', null]],
  ['const null', { const: null }, [null], [0, 'null']],
  [
    'const object',
    { const: { a: [1, { b: 'c' }] } },
    [{ a: [1, { b: 'c' }] }],
    [{}, { a: [] }],
    { acceptsText: ['{"a": [1, {"b": "c"}]}'] },
  ],
  ['const number', { const: 1.5 }, [1.5], [1, 2]],
  [
    'enum of everything',
    { enum: ['a', 1, null, true, [1], { x: 1 }] },
    ['a', 1, null, true, [1], { x: 1 }],
    ['b', 2, false, [2], {}],
  ],
  ['enum filtered by type', { type: 'string', enum: ['a', 1, null, 'b'] }, ['a', 'b'], [1, null, 'c']],
  [
    'enum filtered by length and pattern',
    { enum: ['a', 'ab', 'abc', 'xy'], maxLength: 2, pattern: '^a' },
    ['a', 'ab'],
    ['abc', 'xy'],
  ],
  ['enum without what not says', { enum: [1, 2, 3], not: { const: 2 } }, [1, 3], [2]],
  [
    'long enum',
    { enum: range(300).map((index) => `country-${index}`) },
    ['country-0', 'country-299', 'country-42'],
    ['country-', 'country-300', 'country-04', 'x'],
  ],
  [
    'enum of prefixes of each other',
    { enum: ['a', 'ab', 'abc', 'b', 'ba', 'c', 'ca', 'cab'] },
    ['a', 'ab', 'abc', 'cab'],
    ['', 'bab', 'abcd'],
  ],
  ['enum and const', { enum: ['a', 'b'], const: 'b' }, ['b'], ['a']],
  ['negated type', { not: { type: 'string' } }, [1, null, [], {}, true], ['a']],
  ['negated types', { not: { type: ['string', 'null', 'object', 'array'] } }, [1, true], ['a', null, {}, []]],
]);

const numbers = rows([
  ['integer from 0', { type: 'integer', minimum: 0 }, [0, 1, 10, 99999999999], [-1, 0.5]],
  ['integer from 7', { type: 'integer', minimum: 7 }, [7, 9, 10, 70, 123456], [6, 0, -7]],
  ['integer up to 150', { type: 'integer', maximum: 150 }, [150, 149, 99, 0, -1, -99999], [151, 200, 1000]],
  ['integer 0 to 150', { type: 'integer', minimum: 0, maximum: 150 }, [0, 9, 10, 99, 100, 150], [151, -1, 1500]],
  ['integer -20 to 20', { type: 'integer', minimum: -20, maximum: 20 }, [-20, -19, -1, 0, 1, 20], [-21, 21, 100]],
  [
    'integer -205 to -13',
    { type: 'integer', minimum: -205, maximum: -13 },
    [-205, -200, -99, -13],
    [-12, 0, 13, -206, -1000],
  ],
  [
    'integer 1234 to 56789',
    { type: 'integer', minimum: 1234, maximum: 56789 },
    [1234, 1300, 9999, 10000, 56789, 49999],
    [1233, 56790, 999, 60000, 100000],
  ],
  ['integer exclusive', { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 10 }, [1, 9], [0, 10, -1]],
  ['integer exclusive, draft 4', { type: 'integer', minimum: 0, exclusiveMinimum: true, maximum: 3 }, [1, 3], [0, 4]],
  ['integer with fractional bounds', { type: 'integer', minimum: 0.5, maximum: 2.5 }, [1, 2], [0, 3]],
  ['one integer', { type: 'integer', minimum: 5, maximum: 5 }, [5], [4, 6, 55]],
  ['port', { type: 'integer', minimum: 1, maximum: 65535 }, [1, 80, 9999, 65535, 65499], [0, 65536, 70000, 100000]],
  ['integer, multipleOf 1', { type: 'integer', multipleOf: 1 }, [0, 7], [0.5]],
  ['number, multipleOf 1', { type: 'number', multipleOf: 1 }, [0, -7], [0.5]],
  ['bounded multipleOf', { type: 'integer', minimum: 0, maximum: 100, multipleOf: 25 }, [0, 25, 100], [1, 50.5, 125]],
  ['unbounded multipleOf', { type: 'integer', multipleOf: 3 }, [0, 3, 9], [], { loosened: ['# multipleOf'] }],
  ['number from 0', { type: 'number', minimum: 0 }, [0, 0.5, 1e-9, 12.25, 1e30], [-1, -0.5]],
  ['number above 0', { type: 'number', exclusiveMinimum: 0 }, [0.001, 1, 2.5, 1000], [0, -1]],
  [
    'number 0 to 1',
    { type: 'number', minimum: 0, maximum: 1 },
    [0, 0.5, 1, 0.999, 0.0001],
    [1.1, -0.1, 2, 10],
    { acceptsText: ['1.0', '0.0'], refusesText: ['1.01', '-0'] },
  ],
  [
    'number 0 to 2, exclusive',
    { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 2 },
    [0.1, 1, 1.999],
    [0, 2, 2.5],
  ],
  [
    'number below a bound of 16 digits',
    { type: 'number', exclusiveMaximum: -87.33999999999999 },
    [-87.34, -88, -1000.5],
    [-87.33999999999999, -87, 0],
    { acceptsText: ['-87.340', '-87.34000000000001'], refusesText: ['-87.339999999999991', '-87.3399999999999901'] },
  ],
  [
    'number between bounds of three hundred digits',
    { type: 'number', minimum: 1e-300, exclusiveMaximum: 3e-300 },
    [],
    [0, 1, -1],
    { acceptsText: [`0.${'0'.repeat(299)}2`], refusesText: [`0.${'0'.repeat(299)}3`, `0.${'0'.repeat(300)}9`] },
  ],
  [
    'number -90 to 90',
    { type: 'number', minimum: -90, maximum: 90 },
    [-90, -89.5, 0, 0.25, 90],
    [90.1, -90.5, 91, 900],
  ],
  [
    'number 0.5 to 0.57',
    { type: 'number', minimum: 0.5, maximum: 0.57 },
    [0.5, 0.51, 0.569, 0.57],
    [0.49, 0.571, 0.6, 1],
  ],
  [
    'number -1.5 to -0.25',
    { type: 'number', minimum: -1.5, maximum: -0.25 },
    [-1.5, -1, -0.25, -0.3],
    [-1.51, -0.2, 0, 1],
  ],
  [
    'number 1.25 to 12.5',
    { type: 'number', minimum: 1.25, maximum: 12.5 },
    [1.25, 1.3, 2, 11.99, 12.5, 12.4999],
    [1.24, 12.51, 1, 13, 0],
  ],
  ['number up to 1e-3', { type: 'number', minimum: 0, maximum: 0.001 }, [0, 0.001, 0.0005], [0.0011, 0.01, 1]],
  ['number, multipleOf 0.5', { type: 'number', multipleOf: 0.5 }, [0.5, 3], [], { loosened: ['# multipleOf'] }],
  [
    'allOf of bounds',
    { allOf: [{ type: 'integer', minimum: 3 }, { maximum: 12 }, { minimum: 5 }] },
    [5, 12],
    [3, 4, 13],
  ],
]);

const strings = rows([
  ['minLength', { type: 'string', minLength: 2 }, ['ab', 'abc', '😀😀'], ['', 'a', '😀']],
  ['maxLength', { type: 'string', maxLength: 2 }, ['', 'ab', '😀😀', '"\n'], ['abc', '😀😀😀']],
  ['maxLength 1000', { type: 'string', maxLength: 1000 }, ['', a(999), a(1000), a(32), a(33)], [a(1001), a(1100)]],
  [
    'length 2500 to 5000',
    { type: 'string', minLength: 2500, maxLength: 5000 },
    [a(2500), a(5000), a(3333)],
    [a(2499), a(5001)],
  ],
  ['fixed length', { type: 'string', minLength: 40, maxLength: 40 }, [a(40)], [a(39), a(41)]],
  [
    'anchored pattern',
    { type: 'string', pattern: '^[a-z]+-\\d{2,4}$' },
    ['a-12', 'abc-1234'],
    ['a-1', 'A-12', 'a-12345', 'xa-12 '],
  ],
  ['pattern anywhere', { type: 'string', pattern: 'foo|bar' }, ['foo', 'xxbarxx', 'fofoo\n'], ['', 'fo', 'ba r']],
  [
    'pattern at the start',
    { type: 'string', pattern: '^https?://' },
    ['http://', 'https://x y'],
    ['ftp://', ' http://', 'http:/'],
  ],
  [
    'pattern at the end',
    { type: 'string', pattern: '\\.(png|jpe?g)$' },
    ['.png', 'a b.jpeg', 'x.png.jpg'],
    ['png', '.gif', 'a.png '],
  ],
  ['half anchored alternatives', { type: 'string', pattern: '^a|b$' }, ['a', 'ax', 'xb', 'b'], ['xa', 'bx', '']],
  ['pattern with escapes in JSON', { type: 'string', pattern: '^["\\\\\\n]+$' }, ['"', '\\\n"'], ['', 'n', 'a']],
  ['dot does not match line ends', { type: 'string', pattern: '^.$' }, ['a', '"', '\t', '€', '😀'], ['\n', '', 'ab']],
  ['classes', { type: 'string', pattern: '^[^\\W_]\\s\\S$' }, ['a b', '0\t-'], ['_ b', 'ab', 'a  ']],
  ['unicode escapes', { type: 'string', pattern: '^\\u00e9\\u{1F600}$' }, ['é😀'], ['e', 'é']],
  [
    'pattern with length',
    { type: 'string', pattern: '^[a-z]+$', minLength: 3, maxLength: 64 },
    ['abc', a(64)],
    ['ab', a(65), 'ab1'],
  ],
  [
    'pattern with length, two parts',
    { type: 'string', pattern: '^[a-z][a-z0-9]*$', maxLength: 8 },
    ['a', 'a1234567'],
    ['1a', 'a12345678', ''],
  ],
  ['big counted pattern', { type: 'string', pattern: '^[A-Za-z0-9_-]{1,500}$' }, ['a', a(500)], ['', a(501), 'a b']],
  [
    'big counted parts',
    { type: 'string', pattern: '^[a-z]{1,900}(-[0-9]{1,900})?$' },
    ['a', `${a(900)}-1`, 'a-12'],
    ['-1', a(901), 'a-'],
  ],
  ['two patterns', { allOf: [{ type: 'string', pattern: '^a' }, { pattern: 'z$' }] }, ['az', 'a-z'], ['a', 'z', 'za']],
  ['pattern with named group', { type: 'string', pattern: '^(?<year>\\d{4})$' }, ['2024'], ['24']],
  [
    'lookahead is checked afterwards',
    { type: 'string', pattern: '^(?=.*\\d).+$' },
    ['a1'],
    [],
    { loosened: ['# pattern'] },
  ],
  [
    'back reference is checked afterwards',
    { type: 'string', pattern: '^(a|b)\\1$' },
    ['aa'],
    [],
    { loosened: ['# pattern'] },
  ],
  [
    'date',
    { type: 'string', format: 'date' },
    ['2024-02-29', '2000-02-29', '2023-12-31'],
    ['2023-02-29', '1900-02-29', '2023-13-01', '2023-04-31', '23-01-01', '2023-1-1'],
  ],
  [
    'time',
    { type: 'string', format: 'time' },
    ['12:00:00Z', '23:59:59.123+02:00'],
    ['24:00:00Z', '12:60:00Z', '12:00'],
  ],
  [
    'date-time',
    { type: 'string', format: 'date-time' },
    ['2024-02-29T12:00:00Z', '2023-01-01T00:00:00.5-05:30'],
    ['2024-02-30T12:00:00Z', '2024-01-01', 'now'],
  ],
  [
    'uuid',
    { type: 'string', format: 'uuid' },
    ['123e4567-e89b-12d3-a456-426614174000'],
    ['123e4567e89b12d3a456426614174000', 'x'],
  ],
  [
    'email',
    { type: 'string', format: 'email' },
    ['a@b.co', 'first.last+tag@sub.example.com'],
    ['a', 'a@', '@b.co', 'a b@c.de', 'a@b..co'],
  ],
  [
    'ipv4',
    { type: 'string', format: 'ipv4' },
    ['0.0.0.0', '192.168.1.254', '255.255.255.255'],
    ['256.0.0.1', '1.2.3', '01.2.3.4'],
  ],
  [
    'ipv6',
    { type: 'string', format: 'ipv6' },
    ['::', '::1', '2001:db8::ff00:42:8329', '1:2:3:4:5:6:7:8', 'fe80::'],
    ['1:2:3', ':::', '1:2:3:4:5:6:7:8:9', 'g::'],
  ],
  [
    'uri',
    { type: 'string', format: 'uri' },
    [
      'https://example.com',
      'http://a.b:80/c/d?e=f&g#h',
      'ftp://x/%20',
      'mailto:a@b.co',
      'urn:isbn:0451450523',
      'tel:+1-816-555-1212',
      'news:comp.infosystems/a?b#c',
    ],
    ['example.com', 'http//x', 'http://a b', 'mailto:', ':a', 'http://'],
  ],
  ['url', { type: 'string', format: 'url' }, ['https://example.com'], ['mailto:a@b.co']],
  ['hostname', { type: 'string', format: 'hostname' }, ['example.com', 'a', 'a-b.c'], ['-a', 'a_b', 'a..b', '']],
  [
    'duration',
    { type: 'string', format: 'duration' },
    ['P1D', 'PT5M', 'P1Y2M3DT4H5M6S', 'P2W'],
    ['P', '1D', 'PT', 'P1S'],
  ],
  ['json-pointer', { type: 'string', format: 'json-pointer' }, ['', '/a/b', '/~0~1'], ['a', '/~2']],
  ['format with length', { type: 'string', format: 'email', maxLength: 10 }, ['a@b.co', 'abcd@ef.gh'], ['abcde@ef.gh']],
  ['unknown format', { type: 'string', format: 'byte' }, ['anything'], [1]],
]);

const objects = rows([
  ['any object', { type: 'object' }, [{}, { a: 1, b: { c: [] } }], [[], null, 'a']],
  [
    'person',
    person,
    [{ name: 'A' }, { name: '', age: 0 }, { name: 'A', age: 150, email: 'a@b.co' }, { name: 'A', email: 'a@b.co' }],
    [{}, { age: 1 }, { name: 1 }, { name: 'A', age: 151 }, { name: 'A', x: 1 }],
    {
      acceptsText: ['{"name": "A", "age": 3}', '{\n  "name": "A",\n  "age": 3\n}', '{ "name":"A" }'],
      refusesText: ['{"age":1,"name":"A"}', '{"name":"A",}', '{"name" : "A"}', '{"name":"A"} ', '{"name":"A"}{'],
    },
  ],
  [
    'all optional',
    { type: 'object', properties: { a: text, b: text, c: text }, additionalProperties: false },
    [{}, { a: '' }, { b: '' }, { c: '' }, { a: '', c: '' }, { a: '', b: '', c: '' }],
    [{ d: '' }, { a: 1 }],
    { refusesText: ['{"b":"","a":""}', '{,"a":""}', '{"a":"""b":""}'] },
  ],
  [
    'optional before required',
    {
      type: 'object',
      properties: { a: text, b: text, c: text, d: text },
      required: ['b', 'd'],
      additionalProperties: false,
    },
    [
      { b: '', d: '' },
      { a: '', b: '', d: '' },
      { b: '', c: '', d: '' },
      { a: '', b: '', c: '', d: '' },
    ],
    [{}, { b: '' }, { d: '' }, { a: '', c: '' }],
  ],
  [
    'required only',
    { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'boolean' } }, required: ['a', 'b'] },
    [{ a: 1, b: true }],
    [{ a: 1 }, {}, { b: true }],
  ],
  [
    'properties without type',
    { properties: { a: text }, required: ['a'] },
    [{ a: '' }],
    [{}],
    { stricter: [1, 'x', { a: '', b: 1 }] },
  ],
  [
    'required without schema',
    { type: 'object', required: ['a', 'b'] },
    [
      { a: 1, b: [] },
      { a: 1, b: 2, c: 3 },
    ],
    [{}, { a: 1 }],
  ],
  [
    'no properties at all',
    { type: 'object', additionalProperties: false },
    [{}],
    [{ a: 1 }],
    { acceptsText: ['{}', '{ }', '{\n}'] },
  ],
  ['empty properties of a tool', { type: 'object', properties: {} }, [{}, { a: 1 }], [1]],
  [
    'map',
    { type: 'object', additionalProperties: { type: 'integer' } },
    [{}, { a: 1 }, { a: 1, b: 2, '': 3, 'ä"\n': 4 }],
    [{ a: 'x' }, { a: 1, b: null }],
  ],
  [
    'open object',
    { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: true },
    [{ a: 1 }, { a: 1, b: 'x', c: null }, { a: 1, aa: 'x', '': 1 }],
    [{ b: 1 }, { a: 'x' }],
    { refusesText: ['{"a":1,"a":"x"}', '{"a":1,"\\u0061":"x"}'] },
  ],
  [
    'open object, all optional',
    { type: 'object', properties: { a: { type: 'integer' }, b: text }, additionalProperties: { type: 'boolean' } },
    [{}, { b: '' }, { a: 1, c: true }, { x: false, y: true }],
    [{ a: true }, { c: 1 }, { b: '', c: '' }],
  ],
  [
    'patternProperties',
    { type: 'object', patternProperties: { '^x-': { type: 'integer' } }, additionalProperties: false },
    [{}, { 'x-a': 1 }, { 'x-': 1, 'x-b': 2 }],
    [{ a: 1 }, { 'x-a': 'b' }],
  ],
  [
    'patternProperties and others',
    {
      type: 'object',
      properties: { a: text },
      patternProperties: { '^n': { type: 'integer' } },
      additionalProperties: { type: 'boolean' },
    },
    [
      { a: 'x', n1: 1, z: true },
      { z: false, n: 2 },
    ],
    [{ n: true }, { z: 1 }],
  ],
  [
    'property that matches a pattern',
    {
      type: 'object',
      properties: { n1: { minimum: 3 } },
      patternProperties: { '^n': { type: 'integer' } },
      additionalProperties: false,
    },
    [{ n1: 3, n2: 0 }],
    [{ n1: 2 }, { n2: 'x' }],
  ],
  [
    'propertyNames with pattern',
    { type: 'object', propertyNames: { pattern: '^[a-z]+$' }, additionalProperties: { type: 'integer' } },
    [{}, { ab: 1 }],
    [{ A: 1 }, { a1: 1 }],
  ],
  [
    'propertyNames with enum',
    { type: 'object', propertyNames: { enum: ['de', 'en'] }, additionalProperties: text },
    [{}, { de: 'x' }, { en: 'y', de: 'x' }],
    [{ fr: 'x' }],
  ],
  [
    'minProperties 1',
    { type: 'object', properties: { a: text, b: text }, minProperties: 1, additionalProperties: false },
    [{ a: '' }, { b: '' }, { a: '', b: '' }],
    [{}],
  ],
  [
    'map of 2 to 3',
    { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 2, maxProperties: 3 },
    [
      { a: 1, b: 2 },
      { a: 1, b: 2, c: 3 },
    ],
    [{}, { a: 1 }, { a: 1, b: 2, c: 3, d: 4 }],
    { loosened: ['# minProperties'] },
  ],
  [
    'maxProperties as many as required',
    { type: 'object', properties: { a: text, b: text }, required: ['a'], maxProperties: 1 },
    [{ a: '' }],
    [{ a: '', b: '' }],
  ],
  [
    'maxProperties in between',
    { type: 'object', properties: { a: text, b: text, c: text }, maxProperties: 2, additionalProperties: false },
    [{ a: '' }],
    [{ d: '' }],
    { loosened: ['# maxProperties'] },
  ],
  [
    'properties and names that nothing fits',
    {
      type: 'object',
      properties: { a: text, b: { not: {} }, c: { anyOf: [{ not: {} }, { type: 'null' }] } },
      additionalProperties: { not: { description: 'nothing' } },
    },
    [{}, { a: '' }, { a: '', c: null }],
    [{ b: 1 }, { c: 1 }, { d: 1 }],
  ],
  ['no names', { type: 'object', propertyNames: { not: {} } }, [{}], [{ a: 1 }]],
  [
    'forbidden property',
    { type: 'object', properties: { a: text, b: false }, additionalProperties: true },
    [{ a: '' }, { c: 1 }],
    [{ b: 1 }],
  ],
  [
    'strange names',
    { type: 'object', properties: { 'a b"\\\n': text, '': text, ключ: text }, additionalProperties: false },
    [{ 'a b"\\\n': '', '': '', ключ: '' }],
    [{ a: '' }],
  ],
  [
    'nested objects',
    {
      type: 'object',
      properties: {
        a: {
          type: 'object',
          properties: { b: { type: 'object', properties: { c: { type: 'null' } }, required: ['c'] } },
          required: ['b'],
        },
      },
      required: ['a'],
    },
    [{ a: { b: { c: null } } }],
    [{ a: { b: {} } }, { a: {} }],
  ],
  [
    'forty optional properties',
    {
      type: 'object',
      properties: Object.fromEntries(range(40).map((index) => [`p${index}`, { type: 'integer' }])),
      additionalProperties: false,
    },
    [{}, { p0: 1, p39: 2 }, { p7: 1, p8: 2, p20: 3 }],
    [{ p40: 1 }],
  ],
  [
    'dependentRequired is checked afterwards',
    { type: 'object', properties: { a: text, b: text }, dependentRequired: { a: ['b'] }, additionalProperties: false },
    [{ a: '', b: '' }, {}],
    [{ c: 1 }],
    { loosened: ['# dependentRequired'] },
  ],
  [
    'if and then are checked afterwards',
    {
      type: 'object',
      properties: { a: { type: 'boolean' }, b: text },
      if: { properties: { a: { const: true } } },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: { required: ['b'] },
    },
    [{ a: true, b: '' }],
    [{ a: 1 }],
    { loosened: ['# if'] },
  ],
]);

const arrays = rows([
  ['any array', { type: 'array' }, [[], [1, 'a', null, [[]]]], [{}, null]],
  [
    'items',
    { type: 'array', items: { type: 'integer' } },
    [[], [1], [1, 2, 3]],
    [['a'], [1, null]],
    { acceptsText: ['[1, 2]', '[\n  1,\n  2\n]'], refusesText: ['[1,]', '[,1]', '[1 2]'] },
  ],
  [
    'minItems',
    { type: 'array', items: text, minItems: 2 },
    [
      ['', ''],
      ['', '', ''],
    ],
    [[], ['']],
  ],
  ['maxItems', { type: 'array', items: text, maxItems: 2 }, [[], [''], ['', '']], [['', '', '']]],
  [
    '2 to 4 items',
    { type: 'array', items: { type: 'null' }, minItems: 2, maxItems: 4 },
    [
      [null, null],
      [null, null, null, null],
    ],
    [[null], [null, null, null, null, null]],
  ],
  ['no items', { type: 'array', maxItems: 0 }, [[]], [[1]]],
  [
    'up to 1000 items',
    { type: 'array', items: { type: 'integer' }, maxItems: 1000 },
    [[], range(33), range(1000)],
    [range(1001)],
  ],
  [
    '100 to 200 items',
    { type: 'array', items: { type: 'integer' }, minItems: 100, maxItems: 200 },
    [range(100), range(200), range(150)],
    [range(99), range(201)],
  ],
  [
    'tuple',
    { type: 'array', prefixItems: [{ type: 'integer' }, text], items: false, minItems: 2 },
    [[1, 'a']],
    [[1], ['a', 1], [1, 'a', 2]],
  ],
  [
    'tuple, shorter ones too',
    { type: 'array', prefixItems: [{ type: 'integer' }, text], items: false },
    [[], [1], [1, 'a']],
    [['a'], [1, 'a', 2]],
  ],
  [
    'tuple with rest',
    { type: 'array', prefixItems: [text], items: { type: 'integer' }, minItems: 1 },
    [['a'], ['a', 1, 2]],
    [[], [1], ['a', 'b']],
  ],
  ['tuple that is open', { type: 'array', prefixItems: [text], minItems: 1 }, [['a']], [[]], { stricter: [['a', 1]] }],
  [
    'contains is checked afterwards',
    { type: 'array', items: { type: 'integer' }, contains: { const: 3 } },
    [[3], [1, 3]],
    [['a'], []],
    { loosened: ['# contains'] },
  ],
  [
    'contains of a number of items',
    { type: 'array', contains: { const: 3 }, minContains: 2, maxItems: 3 },
    [
      [3, 3],
      [3, 'a', 3],
    ],
    [[3], [3, 3, 3, 3]],
    { loosened: ['# contains'] },
  ],
  [
    'contains of none is no limit',
    { type: 'array', contains: false, minContains: 0 },
    [[], [1]],
    [{}],
    { loosened: ['# contains'] },
  ],
  [
    'contains that no array has leaves what is none',
    { contains: false, minimum: 1 },
    [1, 2],
    [[], [1], 0],
    { loosened: ['# contains'] },
  ],
  [
    'one of two arrays, of which one is impossible',
    {
      anyOf: [
        { type: 'array', contains: false },
        { type: 'array', items: { type: 'integer' } },
      ],
    },
    [[], [1]],
    [['a']],
    { loosened: ['#/anyOf/0 contains'] },
  ],
  [
    'uniqueItems is checked afterwards',
    { type: 'array', items: { type: 'integer' }, uniqueItems: true },
    [[1, 2]],
    [['a']],
    { loosened: ['# uniqueItems'] },
  ],
  [
    'matrix',
    {
      type: 'array',
      items: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
      minItems: 2,
      maxItems: 2,
    },
    [
      [
        [1, 0],
        [0, 1],
      ],
    ],
    [[[1, 0]], [[1, 0], [1]]],
  ],
  ['items without type', { items: { type: 'integer' } }, [[1]], [['a']], { stricter: ['x'] }],
  ['impossible items', { type: 'array', items: false }, [[]], [[1]]],
  ['items that nothing fits', { type: 'array', items: { not: {} } }, [[]], [[1]]],
  ['items that are not nothing', { type: 'array', items: { not: { not: { type: 'integer' } } } }, [[], [1]], [['a']]],
  ['one hundred deep', nested(100), [nestedValue(100)], [nestedValue(99), nestedValue(101)]],
]);

const tree = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
      required: ['value'],
      additionalProperties: false,
    },
  },
};
const expression = {
  $defs: {
    expression: { anyOf: [{ type: 'number' }, { $ref: '#/$defs/operation' }] },
    operation: {
      type: 'object',
      properties: {
        op: { enum: ['+', '*'] },
        left: { $ref: '#/$defs/expression' },
        right: { $ref: '#/$defs/expression' },
      },
      required: ['op', 'left', 'right'],
      additionalProperties: false,
    },
  },
  $ref: '#/$defs/expression',
};
const shape = (kind: string, size: string) => ({
  type: 'object',
  properties: { kind: { const: kind }, [size]: { type: 'number' } },
  required: ['kind', size],
  additionalProperties: false,
});

const combined = rows([
  ['anyOf', { anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 1 }] }, [1, 'a'], ['ab', null]],
  [
    'anyOf with siblings',
    { type: 'string', minLength: 2, anyOf: [{ pattern: '^a' }, { pattern: '^b' }] },
    ['ab', 'bc'],
    ['a', 'cd'],
  ],
  [
    'anyOf of required',
    {
      type: 'object',
      properties: { a: text, b: text },
      additionalProperties: false,
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    [{ a: '' }, { b: '' }, { a: '', b: '' }],
    [{}],
  ],
  [
    'anyOf with impossible options',
    { anyOf: [false, { type: 'null' }, { type: 'integer', minimum: 3, maximum: 2 }] },
    [null],
    [3],
  ],
  [
    'oneOf with a discriminator',
    { oneOf: [shape('circle', 'radius'), shape('square', 'side')] },
    [
      { kind: 'circle', radius: 1 },
      { kind: 'square', side: 2 },
    ],
    [
      { kind: 'circle', side: 1 },
      { kind: 'x', side: 1 },
    ],
  ],
  ['oneOf of types', { oneOf: [text, { type: 'integer' }, { type: 'null' }] }, ['a', 1, null], [1.5, true]],
  [
    'oneOf of overlapping options',
    {
      oneOf: [
        { type: 'integer', minimum: 0 },
        { type: 'integer', maximum: 10 },
      ],
    },
    [11, -1],
    ['a'],
    { loosened: ['# oneOf'] },
  ],
  [
    'allOf of objects',
    {
      allOf: [
        { type: 'object', properties: { a: text }, required: ['a'] },
        { properties: { b: { type: 'integer' } }, required: ['b'] },
      ],
    },
    [{ a: '', b: 1 }],
    [{ a: '' }, { b: 1 }, { a: 1, b: 1 }],
  ],
  [
    'allOf of the same property',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } },
        { properties: { a: { maximum: 3 } }, required: ['a'] },
      ],
    },
    [{ a: 1 }, { a: 3 }],
    [{ a: 0 }, { a: 4 }, {}],
  ],
  [
    'allOf with a closed object',
    {
      allOf: [
        { type: 'object', properties: { a: text }, additionalProperties: false },
        { properties: { a: { maxLength: 1 }, b: text } },
      ],
    },
    [{}, { a: 'x' }],
    [{ a: 'xy' }, { b: '' }],
  ],
  [
    'allOf and anyOf',
    {
      allOf: [
        { anyOf: [{ type: 'string' }, { type: 'integer' }] },
        { anyOf: [{ type: 'integer', minimum: 5 }, { type: 'null' }] },
      ],
    },
    [5, 6],
    [4, 'a', null],
  ],
  [
    'allOf of types',
    { allOf: [{ type: ['string', 'integer', 'null'] }, { type: ['number', 'null'] }] },
    [1, null],
    ['a', 1.5],
  ],
  [
    'allOf of tuples',
    {
      allOf: [
        { type: 'array', prefixItems: [text], items: { type: 'integer' } },
        { items: { minimum: 3 }, minItems: 2 },
      ],
    },
    [['a', 3]],
    [['a', 2], ['a']],
  ],
  ['reference', { $ref: '#/definitions/a', definitions: { a: { type: 'integer' } } }, [1], ['a']],
  [
    'reference with siblings',
    { $ref: '#/$defs/a', maximum: 5, $defs: { a: { type: 'integer', minimum: 3 } } },
    [3, 5],
    [2, 6],
  ],
  [
    'reference with annotation',
    {
      type: 'object',
      properties: { a: { $ref: '#/$defs/a', description: 'x' } },
      required: ['a'],
      $defs: { a: { enum: [1, 2] } },
    },
    [{ a: 1 }],
    [{ a: 3 }],
  ],
  ['reference with escapes', { $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { type: 'null' } } }, [null], [1]],
  ['reference to an anchor', { $ref: '#here', $defs: { a: { $anchor: 'here', type: 'null' } } }, [null], [1]],
  [
    'tree',
    tree,
    [{ value: 1 }, { value: 1, children: [] }, { value: 1, children: [{ value: 2, children: [{ value: 3 }] }] }],
    [{}, { value: 1, children: [1] }, { value: 1, children: [{}] }],
  ],
  [
    'reference to the root',
    { type: 'object', properties: { next: { $ref: '#' } }, additionalProperties: false },
    [{}, { next: { next: {} } }],
    [{ next: 1 }],
  ],
  [
    'mutual recursion',
    expression,
    [1, { op: '+', left: 1, right: { op: '*', left: 2, right: 3 } }],
    [
      { op: '-', left: 1, right: 2 },
      { op: '+', left: 1 },
    ],
  ],
  [
    'recursive union',
    {
      $defs: { json: { anyOf: [{ type: 'null' }, { type: 'array', items: { $ref: '#/$defs/json' } }] } },
      $ref: '#/$defs/json',
    },
    [null, [], [null, [[]]]],
    [1, [1]],
  ],
  [
    'union that mentions itself',
    { $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, text] } }, $ref: '#/$defs/a' },
    ['a'],
    [1],
  ],
  [
    'recursion through allOf',
    {
      $defs: {
        base: { type: 'object', properties: { child: { $ref: '#/$defs/base' }, id: { type: 'integer' } } },
        node: {
          allOf: [{ $ref: '#/$defs/base' }, { required: ['id'], properties: { child: { $ref: '#/$defs/node' } } }],
        },
      },
      $ref: '#/$defs/node',
    },
    [{ id: 1 }, { child: { id: 2 }, id: 1 }],
    [{}, { child: {}, id: 1 }],
  ],
  [
    'linked list that must end',
    {
      type: 'object',
      properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
      required: ['next'],
      additionalProperties: false,
    },
    [{ next: null }, { next: { next: null } }],
    [{}, { next: 1 }],
  ],
  [
    'optional endless property',
    {
      type: 'object',
      properties: { a: text, b: { $ref: '#/$defs/endless' } },
      additionalProperties: false,
      $defs: { endless: { type: 'object', properties: { more: { $ref: '#/$defs/endless' } }, required: ['more'] } },
    },
    [{}, { a: '' }],
    [{ b: {} }],
  ],
  [
    'union twelve deep',
    range(12).reduce<JsonValue>(
      (inner, index) => ({
        anyOf: [
          {
            type: 'object',
            properties: { [`k${index}`]: inner },
            required: [`k${index}`],
            additionalProperties: false,
          },
          { const: index },
        ],
      }),
      { type: 'null' },
    ),
    [11, { k11: 10 }, { k11: { k10: { k9: 8 } } }],
    [10, { k11: 11 }, null],
  ],
  [
    'union of objects that nothing fits, and of members that nothing fits',
    {
      anyOf: [
        shape('circle', 'radius'),
        {
          type: 'object',
          properties: { kind: { const: 'square' }, side: { type: 'integer', minimum: 3, maximum: 2 } },
          required: ['kind', 'side'],
        },
        {
          type: 'object',
          properties: { kind: { const: 'line' }, length: { type: 'integer', minimum: 3, maximum: 2 } },
          required: ['kind'],
        },
      ],
    },
    [{ kind: 'circle', radius: 1 }, { kind: 'line' }],
    [{ kind: 'square' }, { kind: 'square', side: 2 }, { kind: 'line', length: 3 }],
  ],
  [
    'union of a hundred objects with ten optional members',
    {
      anyOf: range(100).map((index) => ({
        type: 'object',
        properties: {
          kind: { const: `kind${index}` },
          ...Object.fromEntries(range(10).map((member) => [`m${index}-${member}`, { type: 'integer' }])),
        },
        required: ['kind'],
      })),
    },
    [{ kind: 'kind0' }, { kind: 'kind99', 'm99-0': 1, 'm99-9': 2 }],
    [{ kind: 'kind1', 'm2-0': 1 }, { 'm0-0': 1 }],
  ],
  [
    'union of sixty objects with the same names in other orders and of other types',
    {
      anyOf: range(60).map((index) => ({
        type: 'object',
        properties: Object.fromEntries(
          range(12).map((at) => [
            `p${(at * (index + 1)) % 13}`,
            { type: ['string', 'integer', 'null'][(index + at) % 3] },
          ]),
        ),
      })),
    },
    [{}, { p0: '', p1: 1, p2: null }, { p0: 1, p2: null, p4: '' }],
    [{ q: 1 }, { p1: true }],
    { loosened: ['# anyOf'] },
  ],
  [
    'union of thirty objects',
    { anyOf: range(30).map((index) => shape(`kind${index}`, 'size')) },
    [
      { kind: 'kind0', size: 1 },
      { kind: 'kind29', size: 2 },
    ],
    [{ kind: 'kind30', size: 1 }],
  ],
]);

export const schemaCases: readonly SchemaCase[] = [
  ...scalars,
  ...numbers,
  ...strings,
  ...objects,
  ...arrays,
  ...combined,
];
