import type { JsonObject } from '../../contract/json.ts';

/** Sampling wishes of other servers that this engine has no sampler for, with the value that asks for nothing. */
const neutral: Readonly<Record<string, number | boolean>> = {
  mirostat_mode: 0,
  length_penalty: 1,
  use_beam_search: false,
};

/** One sentence per field that was accepted but is not acted on, for the warning header. */
export function ignoredSamplers(body: JsonObject): string[] {
  return Object.entries(neutral)
    .filter(([field, value]) => isGiven(body, field) && body[field] !== value)
    .map(([field]) => sentence(field));
}

/** The same for a dialect's own fields, whatever their value. */
export function ignoredFields(body: JsonObject, fields: readonly string[]): string[] {
  return fields.filter((field) => isGiven(body, field)).map(sentence);
}

function isGiven(body: JsonObject, field: string): boolean {
  return body[field] !== undefined && body[field] !== null;
}

function sentence(field: string): string {
  return `${field} is not supported and was ignored`;
}
