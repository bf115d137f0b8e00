import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { joined, list, withoutAnnotations } from './schema-merge.ts';

/** A schema and its place in the document. */
export interface Placed {
  readonly schema: JsonValue;
  readonly path: string;
}

/** One without references and combinators at its top. */
export interface Alternative {
  readonly plain: JsonObject;
  readonly path: string;
}

/** The types a value may have; undefined: any. Without `type`, the other keywords tell what is meant. */
export function typesOf(schema: JsonObject): readonly string[] | undefined {
  const stated = list(schema.type).map(String);
  const implied = Object.keys(typeWords).filter((type) => typeWords[type]?.some((word) => schema[word] !== undefined));
  const excluded = joined(schema.not).flatMap((each) => onlyTypes(each));
  const types = stated.length > 0 ? stated : implied.length > 0 ? implied : excluded.length > 0 ? allTypes : [];
  if (types.length === 0) return undefined;
  const withNull = schema.nullable === true ? [...types, 'null'] : types;
  const unique = [...new Set(withNull)].filter((type) => !(type === 'integer' && withNull.includes('number')));
  return unique.filter((type) => !excluded.includes(type));
}

const allTypes = ['object', 'array', 'string', 'number', 'boolean', 'null'];
const typeWords: Readonly<Record<string, readonly string[]>> = {
  object: [
    'properties',
    'required',
    'additionalProperties',
    'patternProperties',
    'minProperties',
    'maxProperties',
    'propertyNames',
  ],
  array: ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
};

/** `{type: ...}` and nothing else: what `not` can take away exactly. `integer` cannot be taken from numbers. */
export function onlyTypes(schema: JsonValue): readonly string[] {
  if (schema === true) return allTypes;
  const words = isJsonObject(schema) ? withoutAnnotations(schema) : { not: true };
  if (Object.keys(words).length === 0) return allTypes;
  if (Object.keys(words).join() !== 'type') return [];
  const types = list(words.type).map(String);
  return types.includes('integer') ? [] : types;
}

/** No value fits: `false`, or `not` of what everything fits. */
export function isNothing(schema: JsonValue): boolean {
  if (!isJsonObject(schema)) return schema === false;
  const words = withoutAnnotations(schema);
  return words.not !== undefined && isAnything(words.not);
}

/** Every value fits. */
export function isAnything(schema: JsonValue): boolean {
  const types = onlyTypes(schema);
  return allTypes.every((type) => types.includes(type));
}

/** What a merged schema asks of a string. */
export function stringLimits(schema: JsonObject) {
  return {
    min: Number(schema.minLength ?? 0),
    max: schema.maxLength === undefined ? undefined : Number(schema.maxLength),
    patterns: joined(schema.pattern).map(String),
    formats: joined(schema.format).map(String),
  };
}
