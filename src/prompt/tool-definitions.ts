import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** A tool with everything that strict templates read. */
export function wholeTool(definition: JsonObject): JsonObject {
  if (!isJsonObject(definition.function)) return definition;
  const defaults = { description: '', parameters: { type: 'object', properties: {} } };
  return { ...definition, function: { ...defaults, ...definition.function } };
}

/**
 * A tool whose schema has only what every template can print: one type everywhere, properties, items, descriptions. For
 * templates that fail on the real one; what the arguments must be is not decided by the prompt.
 */
export function simpleTool(definition: JsonObject): JsonObject {
  const whole = wholeTool(definition);
  if (!isJsonObject(whole.function)) return whole;
  const schema = simpleSchema(whole.function.parameters, 0);
  const { properties = {}, required = [] } = schema;
  const parameters = { type: 'object', properties, required };
  return { ...whole, function: { ...whole.function, parameters } };
}

const deepest = 16;

function simpleSchema(schema: JsonValue | undefined, depth: number): JsonObject {
  if (!isJsonObject(schema) || depth > deepest) return { type: 'string', description: '' };
  const chosen = { ...firstChoice(schema), ...schema };
  const type = simpleType(chosen);
  const simple: JsonObject = { ...kept(chosen), type, description: chosen.description ?? '' };
  if (type === 'array') return { ...simple, items: simpleSchema(chosen.items, depth + 1) };
  if (type !== 'object') return simple;
  const properties = Object.entries(isJsonObject(chosen.properties) ? chosen.properties : {});
  return {
    ...simple,
    properties: Object.fromEntries(properties.map(([key, value]) => [key, simpleSchema(value, depth + 1)])),
    // Command-R+ prints objects as `Dict[str, type of the additional properties]`.
    additionalProperties: simpleSchema(chosen.additionalProperties, depth + 1),
  };
}

function kept({ enum: values, default: preset }: JsonObject): JsonObject {
  return {
    ...(Array.isArray(values) && { enum: values }),
    ...(preset !== undefined && preset !== null && { default: preset }),
  };
}

function firstChoice(schema: JsonObject): JsonObject {
  const choices = [schema.anyOf, schema.oneOf, schema.allOf].find(Array.isArray) ?? [];
  return choices.filter(isJsonObject).find(({ type }: JsonObject) => type !== 'null') ?? {};
}

function simpleType({ type, properties, items }: JsonObject): string {
  const types: readonly JsonValue[] = Array.isArray(type) ? type : type === undefined ? [] : [type];
  const named = types.find((name) => typeof name === 'string' && name !== 'null');
  if (typeof named === 'string') return named;
  if (properties) return 'object';
  return items ? 'array' : 'string';
}
