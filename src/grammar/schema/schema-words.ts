import { ServeError } from '../../contract/errors.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';

/** Keywords of JSON Schema (draft 7 to 2020-12, and OpenAPI's `nullable`) by the value they need. */
type Check = (value: JsonValue) => boolean;

const isCount: Check = (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isSchema: Check = (value) => typeof value === 'boolean' || isJsonObject(value);
const isSchemaMap: Check = (value) =>
  isJsonObject(value) && Object.values(value).every((each) => each !== undefined && isSchema(each));
const isList =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(item);
const isSchemas: Check = (value) => isList(isSchema)(value) && Array.isArray(value) && value.length > 0;
const typeNames = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;
const isType: Check = (value) => typeNames.some((name) => name === value);

const words: Readonly<Record<string, { readonly check: Check; readonly needs: string }>> = {
  type: {
    check: (value) => isType(value) || (isList(isType)(value) && Array.isArray(value) && value.length > 0),
    needs: `one of ${typeNames.join(', ')}, or a list of them`,
  },
  enum: { check: (value) => Array.isArray(value) && value.length > 0, needs: 'a list of values' },
  $ref: { check: isText, needs: 'a reference like "#/$defs/name"' },
  ...each(
    ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'minContains', 'maxContains'],
    isCount,
    'a whole number, 0 or more',
  ),
  ...each(['minimum', 'maximum'], isNumber, 'a number'),
  // Draft 4 wrote these two as flags.
  ...each(['exclusiveMinimum', 'exclusiveMaximum'], (value) => isNumber(value) || isFlag(value), 'a number'),
  multipleOf: { check: (value) => isNumber(value) && Number(value) > 0, needs: 'a number above 0' },
  ...each(['pattern', 'format'], isText, 'a string'),
  ...each(
    ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'],
    isSchemaMap,
    'an object of schemas',
  ),
  ...each(
    [
      'additionalProperties',
      'propertyNames',
      'additionalItems',
      'contains',
      'not',
      'if',
      'then',
      'else',
      'unevaluatedProperties',
      'unevaluatedItems',
    ],
    isSchema,
    'a schema: an object, true or false',
  ),
  items: { check: (value) => isSchema(value) || isList(isSchema)(value), needs: 'a schema, or a list of schemas' },
  ...each(['prefixItems', 'anyOf', 'oneOf', 'allOf'], isSchemas, 'a list of at least one schema'),
  required: { check: isList(isText), needs: 'a list of property names' },
  ...each(['uniqueItems', 'nullable'], isFlag, 'true or false'),
};

function each(names: readonly string[], check: Check, needs: string) {
  return Object.fromEntries(names.map((name) => [name, { check, needs }]));
}

const maxDepth = 150;
const maxSchemas = 20_000;

/**
 * Refuses what is no JSON Schema: throws ServeError invalid_request with path and keyword. Also the first bar against
 * schemas made to hurt: depth and number of subschemas are limited.
 */
export function checkSchemaWords(root: JsonValue, param: string): void {
  const todo: { schema: JsonValue; path: string; depth: number }[] = [{ schema: root, path: '#', depth: 0 }];
  let count = 0;
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { schema, path, depth } = next;
    if (typeof schema === 'boolean') continue;
    if (!isJsonObject(schema)) throw refuse(`must be an object, true or false, but is ${shown(schema)}`, path, param);
    if (++count > maxSchemas) throw refuse(`has more than ${maxSchemas} subschemas; use a smaller one`, '#', param);
    if (depth > maxDepth) throw refuse(`nests schemas more than ${maxDepth} deep; use $ref for recursion`, path, param);
    for (const [word, value] of Object.entries(schema)) {
      const known = Object.hasOwn(words, word) ? words[word] : undefined;
      if (!known || value === undefined) continue;
      if (!known.check(value)) throw refuse(`needs ${known.needs} for "${word}", not ${shown(value)}`, path, param);
    }
    for (const [word, child] of subschemas(schema))
      todo.push({ schema: child, path: `${path}/${word}`, depth: depth + 1 });
  }
}

const single = [
  'additionalProperties',
  'propertyNames',
  'additionalItems',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'items',
  'unevaluatedProperties',
  'unevaluatedItems',
];
const listed = ['prefixItems', 'anyOf', 'oneOf', 'allOf', 'items'];
const mapped = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'];

/** Subschemas with their path below this one. */
export function subschemas(schema: JsonObject): (readonly [string, JsonValue])[] {
  const found: (readonly [string, JsonValue])[] = [];
  for (const word of single) {
    const value = schema[word];
    if (value !== undefined && !Array.isArray(value)) found.push([word, value]);
  }
  for (const word of listed) {
    const value = schema[word];
    if (Array.isArray(value))
      value.forEach((each: JsonValue, index) => {
        found.push([`${word}/${index}`, each]);
      });
  }
  for (const word of mapped) {
    const value = schema[word];
    if (isJsonObject(value))
      // Draft 7's `dependencies` may also be lists of names.
      for (const [name, each] of Object.entries(value))
        if (each !== undefined && !(word === 'dependencies' && Array.isArray(each)))
          found.push([`${word}/${pointerPart(name)}`, each]);
  }
  return found;
}

/** A document and all schemas in it. */
export function allSchemas(root: JsonValue): readonly { readonly schema: JsonObject; readonly path: string }[] {
  const found = isJsonObject(root) ? [{ schema: root, path: '#' }] : [];
  // What is found on the way is pushed after.
  for (const { schema, path } of found)
    for (const [word, child] of subschemas(schema))
      if (isJsonObject(child)) found.push({ schema: child, path: `${path}/${word}` });
  return found;
}

/** A name as a JSON pointer spells it (RFC 6901). */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The regular expressions of a schema, not of its parts, each with its keyword. */
export function patternsOf(schema: JsonObject): (readonly [string, string])[] {
  const { pattern, patternProperties } = schema;
  const patterns = isJsonObject(pattern) && Array.isArray(pattern.all) ? pattern.all : [pattern];
  return [
    ...patterns.flatMap((each: JsonValue | undefined) =>
      typeof each === 'string' ? [['pattern', each] as const] : [],
    ),
    ...(isJsonObject(patternProperties) ? Object.keys(patternProperties) : []).map(
      (each) => ['patternProperties', each] as const,
    ),
  ];
}

/** A rule name out of a path's last word. */
export function hint(path: string): string {
  const words = path
    .split('/')
    .filter((word) => !/^(?:\d+|properties|items|anyOf|oneOf|allOf|\$defs|definitions|#)$/.test(word));
  return words.at(-1) ?? 'answer';
}

export function refuse(what: string, path: string, param: string): ServeError {
  const place = path.length > 160 ? `${path.slice(0, 80)}...${path.slice(-60)}` : path;
  return new ServeError('invalid_request', `The schema at ${place} ${what}.`, { param });
}

function shown(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
