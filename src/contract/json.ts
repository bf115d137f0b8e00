export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** `undefined` members are left out when written, as JSON.stringify does. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
