import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { Tool } from '../../contract/request.ts';
import { JsonText } from './json-text.ts';

/** How a value that is written as bare text becomes JSON: by what the tool's schema lets it be. */
export type ValueKind = 'string' | 'json' | 'either';

/** The schema of a parameter, `$ref` followed; undefined when the tool's schema does not know it. */
export function parameterSchema(tool: Tool | undefined, key: string): JsonObject | undefined {
  const root = tool?.parameters;
  return partSchema(root, root, ({ properties }) =>
    isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined,
  );
}

function resolve(schema: JsonValue | undefined, root: JsonObject | undefined): JsonObject | undefined {
  let found = schema;
  // A bound instead of a memory of what was seen: a chain of references this long leads nowhere.
  for (let step = 0; step < 32 && isJsonObject(found) && typeof found.$ref === 'string'; step++) {
    found = lookUp(found.$ref, root);
  }
  return isJsonObject(found) ? found : undefined;
}

function lookUp(reference: string, root: JsonObject | undefined): JsonValue | undefined {
  if (!reference.startsWith('#/')) return undefined;
  let found: JsonValue | undefined = root;
  for (const step of reference.slice(2).split('/')) {
    found = isJsonObject(found) ? found[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return found;
}

export function valueKind(schema: JsonObject | undefined, root: JsonObject | undefined): ValueKind {
  const types = schemaTypes(schema, root);
  if (!types?.has('string')) return types && types.size > 0 ? 'json' : 'either';
  return types.size === 1 ? 'string' : 'either';
}

/** The JSON types that a schema allows; undefined when it does not say, empty when no value fits. */
export function schemaTypes(
  schema: JsonObject | undefined,
  root: JsonObject | undefined,
  depth = 0,
): ReadonlySet<string> | undefined {
  if (!schema || depth > 8) return undefined;
  const { type, enum: values, const: value } = schema;
  if (typeof type === 'string') return new Set(schema.nullable === true ? [type, 'null'] : [type]);
  if (Array.isArray(type)) return new Set(type.filter((item) => typeof item === 'string'));
  if (Array.isArray(values)) return new Set(values.map(typeOf));
  if (value !== undefined) return new Set([typeOf(value)]);
  const typesIn = (schemas: JsonValue[]) =>
    schemas.map((each) => (each === false ? new Set<string>() : schemaTypes(resolve(each, root), root, depth + 1)));
  const said = Array.isArray(schema.allOf) ? typesIn(schema.allOf).filter((types) => types !== undefined) : [];
  if (said.length > 0) return said.reduce(inBoth);
  const resolved = typesIn([schema.anyOf, schema.oneOf].find(Array.isArray) ?? []);
  // A branch that does not say may be anything.
  const told = resolved.filter((types) => types !== undefined);
  if (told.length < resolved.length) return undefined;
  if (told.length > 0) return new Set(told.flatMap((types) => [...types]));
  if (schema.properties) return new Set(['object']);
  return schema.items ? new Set(['array']) : undefined;
}

/** Integers are numbers. */
function inBoth(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> {
  const has = (types: ReadonlySet<string>, type: string) =>
    types.has(type) || (type === 'integer' && types.has('number'));
  return new Set([...one, ...other].filter((type) => has(one, type) && has(other, type)));
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** What a schema asks of a part that `find` looks up, also where an alternative of the schema has it. */
export function partSchema(
  schema: JsonObject | undefined,
  root: JsonObject | undefined,
  find: (schema: JsonObject) => JsonValue | undefined,
  depth = 0,
): JsonObject | undefined {
  if (!schema || depth > 8) return undefined;
  const own = resolve(find(schema), root);
  if (own) return own;
  for (const word of ['allOf', 'anyOf', 'oneOf'] as const) {
    const options = schema[word];
    if (!Array.isArray(options)) continue;
    const parts = options.map((option) => partSchema(resolve(option, root), root, find, depth + 1));
    const [first, ...more] = parts.filter((part) => part !== undefined);
    if (first) return more.length === 0 ? first : { [word]: [first, ...more] };
  }
  return undefined;
}

/** Bare text -> JSON text. What is no JSON, even after mending, stays a string: nothing is lost. */
export function toJson(raw: string, kind: ValueKind, heal: boolean): { json: string; repairs: number } {
  if (kind === 'string') return { json: JSON.stringify(raw), repairs: 0 };
  const text = raw.trim();
  if (isJson(text) && (kind === 'json' || !text.startsWith('"'))) return { json: text, repairs: 0 };
  const mended = heal ? mend(text) : undefined;
  // Text that may be a string is one unless it is a whole value of another type.
  if (mended && (kind === 'json' || /^[{[]|^(True|False|None)$/.test(text))) return mended;
  return { json: JSON.stringify(raw), repairs: kind === 'json' ? 1 : 0 };
}

function mend(text: string): { json: string; repairs: number } | undefined {
  let json = '';
  const value = new JsonText({
    heal: true,
    write: (piece) => {
      json += piece;
    },
  });
  const { consumed } = value.read(`${text} `, 'complete');
  return consumed >= text.length && isJson(json) ? { json: json.trim(), repairs: value.repairs } : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
