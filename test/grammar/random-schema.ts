import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import { anyCharacter } from '../support/characters.ts';

/** A schema together with a way to make values that are meant to fit it (ajv decides whether they do). */
export interface SchemaAndValues {
  readonly schema: JsonValue;
  readonly values: fc.Arbitrary<JsonValue>;
}

const name = fc.constantFrom('a', 'b', 'ab', 'name', 'x y', 'ключ', '"q"', '');
const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.string({ unit: anyCharacter }),
);
const tidyNumber = fc.oneof(
  fc.integer({ min: -2000, max: 2000 }),
  fc.integer({ min: -9999, max: 9999 }).map((n) => n / 100),
);

const anything: fc.Arbitrary<SchemaAndValues> = fc.constant({
  schema: {},
  values: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue),
});

const fixed = fc.uniqueArray(scalar, { minLength: 1, maxLength: 12 }).map((values) => ({
  schema: { enum: values },
  values: fc.constantFrom(...values),
}));

const integers = fc
  .tuple(fc.option(fc.integer({ min: -300, max: 300 })), fc.option(fc.nat(2000)), fc.boolean())
  .map(([min, span, exclusive]) => {
    const schema: JsonObject = {
      type: 'integer',
      ...(min !== null && { [exclusive ? 'exclusiveMinimum' : 'minimum']: min }),
      ...(span !== null && { maximum: (min ?? 0) + span + 1 }),
    };
    return { schema, values: fc.oneof(fc.integer({ min: -400, max: 2400 }), fc.maxSafeInteger()) };
  });

const anyNumber = fc.oneof(tidyNumber, fc.double({ min: -1e6, max: 1e6, noNaN: true }));

const numbers = fc
  .tuple(fc.option(anyNumber), fc.option(anyNumber), fc.boolean(), fc.boolean())
  .map(([a, b, above, below]) => {
    const [min, max] = a !== null && b !== null && a > b ? [b, a] : [a, b];
    const schema: JsonObject = {
      type: 'number',
      ...(min !== null && { [above ? 'exclusiveMinimum' : 'minimum']: min }),
      ...(max !== null && { [below ? 'exclusiveMaximum' : 'maximum']: max + (below ? 0.01 : 0) }),
    };
    return { schema, values: fc.oneof(anyNumber, fc.constantFrom(min ?? 0, max ?? 0)) };
  });

const strings = fc
  .tuple(
    fc.nat(4),
    fc.option(fc.nat(70)),
    fc.option(fc.constantFrom('^[a-c]+$', '[0-9]', '^x', 'y$', '^(ab|c)*$', '^\\S+ \\S+$')),
  )
  .map(([min, extra, pattern]) => {
    const schema: JsonObject = {
      type: 'string',
      ...(min > 0 && { minLength: min }),
      ...(extra !== null && { maxLength: min + extra }),
      ...(pattern !== null && { pattern }),
    };
    return {
      schema,
      values: fc.oneof(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', 'y', '1', ' ', '\n', '"', '€', '😀'), maxLength: 80 }),
        fc.string({ unit: 'grapheme' }),
      ),
    };
  });

const formatted = fc
  .constantFrom<[string, fc.Arbitrary<string>]>(
    [
      'date',
      fc
        .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString().slice(0, 10)),
    ],
    [
      'date-time',
      fc
        .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString()),
    ],
    ['uuid', fc.uuid()],
    ['ipv4', fc.ipV4()],
  )
  .map(([format, values]) => ({ schema: { type: 'string', format }, values }));

/** Random schemas whose grammars need nothing loosened; `$ref` to the definitions of `wrap`. */
export const schemas: fc.Arbitrary<SchemaAndValues> = fc.letrec<{ node: SchemaAndValues }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fixed,
      integers,
      numbers,
      strings,
      formatted,
      fc.constant({ schema: { type: ['boolean', 'null'] }, values: scalar }),
    ),
    arrays(tie('node')),
    objects(tie('node')),
    objects(tie('node')),
    unions(tie('node')),
    merged(tie('node')),
    anything,
  ),
})).node;

function arrays(node: fc.Arbitrary<SchemaAndValues>): fc.Arbitrary<SchemaAndValues> {
  return fc.tuple(node, fc.nat(3), fc.option(fc.nat(4))).map(([item, min, extra]) => ({
    schema: {
      type: 'array',
      items: item.schema,
      ...(min > 0 && { minItems: min }),
      ...(extra !== null && { maxItems: min + extra }),
    },
    values: fc.array(item.values, { maxLength: 8 }),
  }));
}

function objects(node: fc.Arbitrary<SchemaAndValues>): fc.Arbitrary<SchemaAndValues> {
  const members = fc.uniqueArray(fc.tuple(name, node, fc.boolean()), { selector: ([key]) => key, maxLength: 5 });
  return fc.tuple(members, fc.option(node)).map(([list, rest]) => ({
    schema: {
      type: 'object',
      properties: Object.fromEntries(list.map(([key, { schema }]) => [key, schema])),
      required: list.filter(([, , required]) => required).map(([key]) => key),
      additionalProperties: rest?.schema ?? false,
    },
    values: memberValues(list, rest),
  }));
}

function memberValues(
  list: readonly (readonly [string, SchemaAndValues, boolean])[],
  rest: SchemaAndValues | null,
): fc.Arbitrary<JsonValue> {
  const declared = fc.tuple(
    ...list.map(([, { values }, required]) =>
      required
        ? values.map((value) => [value])
        : fc.oneof(
            fc.constant([]),
            values.map((value) => [value]),
          ),
    ),
  );
  const further = rest
    ? fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 4 }), rest.values, { maxKeys: 3 })
    : fc.constant<Record<string, JsonValue>>({});
  return fc.tuple(declared, further).map(([found, more]) => {
    const pairs = found.flatMap((value, at) => value.map((each) => [list[at]?.[0] ?? '', each] as const));
    const names = new Set(list.map(([key]) => key));
    const others = Object.entries<JsonValue>(more).filter(([key]) => !names.has(key));
    return Object.fromEntries([...pairs, ...others]);
  });
}

function unions(node: fc.Arbitrary<SchemaAndValues>): fc.Arbitrary<SchemaAndValues> {
  return fc.array(node, { minLength: 1, maxLength: 3 }).map((options) => ({
    schema: { anyOf: options.map(({ schema }) => schema) },
    values: fc.oneof(...options.map(({ values }) => values)),
  }));
}

function merged(node: fc.Arbitrary<SchemaAndValues>): fc.Arbitrary<SchemaAndValues> {
  return fc
    .tuple(node, node)
    .map(([a, b]) => ({ schema: { allOf: [a.schema, b.schema] }, values: fc.oneof(a.values, b.values) }));
}
