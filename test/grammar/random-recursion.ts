import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import type { SchemaAndValues } from './random-schema.ts';

/** Objects and arrays of a union that share their beginnings and hold the union itself, as trees of expressions do. */
const names = ['left', 'right', 'op', 'le'];
const leaves: readonly JsonObject[] = [
  { type: 'string' },
  { type: 'integer' },
  { type: 'null' },
  { const: 'plus' },
  { const: 'plusplus' },
  { enum: ['minus', 'plus'] },
  { type: 'string', maxLength: 5 },
  { type: 'object' },
  { type: 'array' },
];
const reference: fc.Arbitrary<JsonObject> = fc.constantFrom('a', 'b').map((name) => ({ $ref: `#/$defs/${name}` }));
const part: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 3, arbitrary: reference },
  { weight: 3, arbitrary: fc.constantFrom(...leaves) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.oneof(reference, fc.constantFrom(...leaves)), { minLength: 2, maxLength: 3 })
      .map((anyOf) => ({ anyOf })),
  },
);

const memberLists = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), part, fc.boolean()), {
  selector: ([name]) => name,
  minLength: 1,
  maxLength: 4,
});
type Members = typeof memberLists extends fc.Arbitrary<infer List> ? List : never;

function object(members: Members, additionalProperties: JsonValue): JsonObject {
  return {
    type: 'object',
    properties: Object.fromEntries(members.map(([name, schema]) => [name, schema])),
    required: members.filter(([, , required]) => required).map(([name]) => name),
    additionalProperties,
  };
}

const objects = fc
  .tuple(memberLists, fc.constantFrom<JsonValue>(false, false, false, true, { type: 'string' }))
  .map(([members, rest]) => object(members, rest));

/**
 * Closed, and all with one order: a value made for one of the objects may fit another, but its text only where its
 * members stand in that one's order.
 */
const orderedObjects = memberLists.map((members) =>
  object(
    [...members].sort(([a], [b]) => names.indexOf(a) - names.indexOf(b)),
    false,
  ),
);

const arrays = fc
  .tuple(part, fc.nat(2), fc.constantFrom(undefined, 3, 40, 1_000))
  .map(([items, minItems, maxItems]) => ({
    type: 'array',
    items,
    minItems,
    ...(maxItems !== undefined && { maxItems }),
  }));

function unions(node: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> {
  const options = fc.oneof({ weight: 3, arbitrary: node }, arrays, fc.constantFrom(...leaves));
  return fc.array(options, { minLength: 2, maxLength: 5 }).map((anyOf) => ({ anyOf }));
}

function documents(union: fc.Arbitrary<JsonObject>): fc.Arbitrary<SchemaAndValues> {
  return fc.tuple(union, union).map(([a, b]) => ({
    schema: { $ref: '#/$defs/a', $defs: { a, b } },
    values: fc
      .infiniteStream(fc.nat())
      .map((numbers) => valueFor(a, { a, b }, (limit) => (numbers.next().value ?? 0) % limit)),
  }));
}

/** Documents of two unions that mention each other. */
export const recursiveSchemas = documents(unions(objects));

/** The same, with values whose texts must be offered where the values fit. */
export const recursiveValues = documents(unions(orderedObjects));

type Draw = (limit: number) => number;

/** A value made for the schema; where it grows too deep, one that need not fit. */
function valueFor(schema: JsonValue, defs: Readonly<Record<string, JsonValue>>, draw: Draw, depth = 0): JsonValue {
  if (depth > 12) return null;
  const {
    $ref: name,
    anyOf,
    type,
    properties = {},
    items,
    required = [],
    minItems = 0,
    enum: values,
    const: fixed,
  } = Object(schema);
  const pick = <Item>(list: readonly Item[]) => list[draw(list.length)];
  const inner = (each: JsonValue) => valueFor(each, defs, draw, depth + 1);
  if (name !== undefined) return inner(defs[String(name).slice(-1)] ?? true);
  if (anyOf !== undefined) return inner(pick(anyOf as JsonValue[]) ?? true);
  if (fixed !== undefined) return fixed;
  if (values !== undefined) return pick(values as JsonValue[]) ?? null;
  switch (type) {
    case 'string':
      return pick(['', 'plus', 'plusp', 'minus', 'a"b']) ?? '';
    case 'integer':
      return draw(200) - 100;
    case 'array':
      return Array.from({ length: Number(minItems) + draw(depth > 3 ? 1 : 3) }, () =>
        inner(items ?? { type: 'string' }),
      );
    case 'object': {
      const wanted = Object.entries<JsonValue>(properties).filter(([key]) => required.includes(key) || draw(2) === 0);
      return Object.fromEntries(wanted.map(([key, each]) => [key, inner(each)]));
    }
    default:
      return null;
  }
}
