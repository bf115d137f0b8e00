import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { PatternTests } from '../regex/pattern-test.ts';
import { valueSet } from './value-set.ts';

/** Keywords that only tell about a schema. */
const annotations = new Set([
  'title',
  'description',
  'default',
  'example',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$schema',
  '$id',
  '$anchor',
  '$comment',
  '$defs',
  'definitions',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  '$vocabulary',
  'discriminator',
  'externalDocs',
  'xml',
]);

export function withoutAnnotations(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).filter(
      ([word, value]) => value !== undefined && !annotations.has(word) && !word.startsWith('x-'),
    ),
  );
}

/**
 * One schema for two that must both hold; neither has `$ref`, `allOf`, `anyOf` or `oneOf` at its top. Deeper schemas
 * are joined with `allOf` and merged when they are reached. undefined: no value satisfies both. Two of `pattern`, `format`
 * or `not` become `{all: [...]}`, see `joined`.
 */
export function mergeSchemas(a: JsonObject, b: JsonObject, tests: PatternTests): JsonObject | undefined {
  const merged: Record<string, JsonValue | undefined> = { ...a };
  for (const [word, value] of Object.entries(b)) {
    if (value === undefined || objectWords.has(word)) continue;
    const known = merged[word];
    merged[word] = known === undefined ? value : joinWord(word, known, value);
    if (Array.isArray(merged[word]) && merged[word].length === 0 && (word === 'type' || word === 'enum'))
      return undefined;
  }
  if (a.const !== undefined && b.const !== undefined && !equal(a.const, b.const)) return undefined;
  mergeItems(merged, a, b);
  mergeProperties(merged, [a, b], tests);
  return merged;
}

const objectWords = new Set([
  'properties',
  'patternProperties',
  'additionalProperties',
  'items',
  'prefixItems',
  'additionalItems',
]);
const larger = new Set(['minLength', 'minItems', 'minProperties', 'minimum', 'minContains']);
const smaller = new Set(['maxLength', 'maxItems', 'maxProperties', 'maximum', 'maxContains']);

function joinWord(word: string, a: JsonValue, b: JsonValue): JsonValue {
  if (larger.has(word)) return Math.max(Number(a), Number(b));
  if (smaller.has(word)) return Math.min(Number(a), Number(b));
  switch (word) {
    case 'type':
      return commonTypes(list(a), list(b));
    case 'enum':
      return list(a).filter((one) => valueSet(list(b)).has(one));
    case 'required':
      return [...new Set([...list(a), ...list(b)])];
    case 'pattern':
    case 'format':
    case 'not':
      return { all: [...joined(a), ...joined(b)] };
    case 'exclusiveMinimum':
      return typeof a === 'number' && typeof b === 'number' ? Math.max(a, b) : a === false ? b : a;
    case 'exclusiveMaximum':
      return typeof a === 'number' && typeof b === 'number' ? Math.min(a, b) : a === false ? b : a;
    case 'multipleOf':
      return multiple(Number(a), Number(b));
    case 'propertyNames':
    case 'contains':
      return { allOf: [a, b] };
    case 'uniqueItems':
      return a === true || b === true;
    case 'nullable':
      return a === true && b === true;
    default:
      return b;
  }
}

/** What joinWord made of several values, or the single one. */
export function joined(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  if (isJsonObject(value) && Array.isArray(value.all)) return value.all;
  return [value];
}

export function list(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function commonTypes(a: readonly JsonValue[], b: readonly JsonValue[]): JsonValue[] {
  const has = (types: readonly JsonValue[], type: JsonValue) =>
    types.includes(type) || (type === 'integer' && types.includes('number'));
  return [...new Set([...a.filter((type) => has(b, type)), ...b.filter((type) => has(a, type))])];
}

/** The smallest number that both divide; of odd fractions just one, the check afterwards sees the other. */
function multiple(a: number, b: number): number {
  if (!Number.isInteger(a) || !Number.isInteger(b)) return Number.isInteger(a / b) ? a : b;
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

function mergeItems(merged: Record<string, JsonValue | undefined>, a: JsonObject, b: JsonObject): void {
  const [one, other] = [tuple(a), tuple(b)];
  const length = Math.max(one.prefix.length, other.prefix.length);
  const at = (side: typeof one, index: number) => side.prefix[index] ?? side.rest;
  const prefix = Array.from({ length }, (_, index) => both(at(one, index), at(other, index)) ?? true);
  const rest = both(one.rest, other.rest);
  delete merged.additionalItems;
  delete merged.items;
  delete merged.prefixItems;
  if (length > 0) merged.prefixItems = prefix;
  if (rest !== undefined) merged.items = rest;
}

/** The two spellings of tuples: `prefixItems` with `items`, and the older list in `items` with `additionalItems`. */
export function tuple(schema: JsonObject): {
  readonly prefix: readonly JsonValue[];
  readonly rest: JsonValue | undefined;
} {
  const items = schema.items;
  if (Array.isArray(items)) return { prefix: items, rest: schema.additionalItems };
  return { prefix: list(schema.prefixItems), rest: items };
}

function mergeProperties(
  merged: Record<string, JsonValue | undefined>,
  [a, b]: readonly [JsonObject, JsonObject],
  tests: PatternTests,
): void {
  const names = [...new Set([...keys(a.properties), ...keys(b.properties)])];
  const properties = names.map(
    (name) => [name, both(forName(a, name, tests), forName(b, name, tests)) ?? true] as const,
  );
  if (names.length > 0) merged.properties = Object.fromEntries(properties);
  const patterns = [...new Set([...keys(a.patternProperties), ...keys(b.patternProperties)])];
  const kept = patterns.flatMap((pattern) => {
    const [one, other] = [member(a.patternProperties, pattern), member(b.patternProperties, pattern)];
    const schema = both(one ?? a.additionalProperties, other ?? b.additionalProperties);
    return schema === undefined || schema === false ? [] : [[pattern, schema] as const];
  });
  if (patterns.length > 0) merged.patternProperties = Object.fromEntries(kept);
  const rest = both(a.additionalProperties, b.additionalProperties);
  if (rest !== undefined) merged.additionalProperties = rest;
}

/** What a schema asks of the property `name`. */
export function forName(schema: JsonObject, name: string, tests: PatternTests): JsonValue | undefined {
  const own = member(schema.properties, name);
  const matching = keys(schema.patternProperties).filter((pattern) => tests.matches(pattern, name));
  const found = [own, ...matching.map((pattern) => member(schema.patternProperties, pattern))];
  const asked = found.reduce<JsonValue | undefined>(both, undefined);
  return asked ?? schema.additionalProperties;
}

/** Flat and without repetition: recursive schemas that are merged with themselves must come back to the same schema. */
function both(a: JsonValue | undefined, b: JsonValue | undefined): JsonValue | undefined {
  if (a === undefined || a === true) return b ?? a;
  if (b === undefined || b === true) return a;
  if (a === false || b === false) return false;
  const parts: JsonValue[] = [];
  for (const part of [...conjuncts(a), ...conjuncts(b)])
    if (!parts.some((known) => equal(known, part))) parts.push(part);
  return parts.length === 1 ? parts[0] : { allOf: parts };
}

function conjuncts(schema: JsonValue): readonly JsonValue[] {
  const isMerged = isJsonObject(schema) && Array.isArray(schema.allOf) && Object.keys(schema).length === 1;
  return isMerged ? list(schema.allOf) : [schema];
}

export function member(map: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(map) && Object.hasOwn(map, name) ? map[name] : undefined;
}

export function keys(map: JsonValue | undefined): readonly string[] {
  return isJsonObject(map) ? Object.keys(map) : [];
}

/** Deep equality of JSON values; the order of keys does not matter. */
export function equal(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((each, index) => equal(each, b[index]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
  );
}
