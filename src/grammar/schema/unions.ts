import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { either } from '../gbnf/gbnf.ts';
import { arrayUnionRules } from './array-union.ts';
import { withRoomForContained } from './contains.ts';
import { numberUnionRules } from './number-rules.ts';
import { objectShape, objectShapeRules } from './object-shape.ts';
import { jsonMembers, objectUnionRules } from './object-union.ts';
import { kindOf } from './schema-kinds.ts';
import { list } from './schema-merge.ts';
import type { SchemaRules } from './schema-rules.ts';
import { type Alternative, typesOf } from './schema-types.ts';
import { hint } from './schema-words.ts';

/**
 * Values of one of the alternatives, written kind by kind: two that are objects become one set of rules, so that a text
 * is not read in two ways at once, which doubles with every level.
 */
export function unionRules(
  compiler: SchemaRules,
  alternatives: readonly Alternative[],
  path: string,
): Expression | undefined {
  const literals: JsonValue[] = [];
  const typed = new Map<string, Alternative[]>();
  const add = (type: string, alternative: Alternative) => typed.set(type, [...(typed.get(type) ?? []), alternative]);
  for (const alternative of alternatives) {
    const values = compiler.fixedValues(alternative.plain);
    for (const value of values ?? []) {
      const structure = schemaOf(value);
      if (structure) add(kindOf(value), { plain: structure, path: alternative.path });
      else literals.push(value);
    }
    if (values) continue;
    compiler.noteUnchecked(alternative.plain, alternative.path);
    const types = typesOf(alternative.plain);
    if (!types) return compiler.json.value;
    for (const type of types) add(type === 'integer' ? 'number' : type, alternative);
  }
  const written = [...typed].map(([type, several]) => ofType(compiler, type, several, path));
  const others = literals.filter((value) => !typed.get(kindOf(value))?.some(({ plain }) => isBare(plain)));
  return either([...written, compiler.literals(others, path)]);
}

/** Any value of its types. */
function isBare(plain: JsonObject): boolean {
  return Object.keys(plain).join() === 'type' && !list(plain.type).includes('integer');
}

function ofType(
  compiler: SchemaRules,
  type: string,
  alternatives: readonly Alternative[],
  path: string,
): Expression | undefined {
  const { json } = compiler;
  switch (type) {
    case 'null':
      return json.null;
    case 'boolean':
      return json.boolean;
    case 'number':
      return numberUnionRules(compiler, alternatives, path);
    case 'string': {
      const text = compiler.texts(alternatives, path, { ...json.writing, hint: hint(path) });
      return text && json.quoted(text);
    }
    case 'array':
      return arrayRules(compiler, alternatives, path);
    default: {
      const shapes = alternatives.map(({ plain, path: place }) => objectShape(compiler, plain, place));
      const [shape, ...more] = shapes;
      if (shape && more.length === 0) return objectShapeRules(compiler, shape, alternatives[0]?.path ?? path);
      return objectUnionRules(compiler, shapes, path, jsonMembers(compiler));
    }
  }
}

function arrayRules(compiler: SchemaRules, all: readonly Alternative[], path: string): Expression | undefined {
  const [first, ...others] = all.flatMap((each) => withRoomForContained(compiler, each) ?? []);
  if (!first) return undefined;
  return others.length === 0
    ? compiler.array(first.plain, first.path)
    : arrayUnionRules(compiler, [first, ...others], path);
}

/** A fixed object or array as a schema of its members; undefined: it is neither. */
function schemaOf(value: JsonValue): JsonObject | undefined {
  if (Array.isArray(value)) {
    const prefixItems = value.map((each: JsonValue) => ({ const: each }));
    return { type: 'array', prefixItems, items: false, minItems: value.length, maxItems: value.length };
  }
  if (!isJsonObject(value)) return undefined;
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return {
    type: 'object',
    properties: Object.fromEntries(members.map(([name, each]) => [name, { const: each }])),
    required: members.map(([name]) => name),
    additionalProperties: false,
  };
}
