import type { JsonObject } from '../../contract/json.ts';

/** Sampling wishes of other servers that this engine has no sampler for, with the value that asks for nothing. */
const neutral: Readonly<Record<string, number | boolean>> = {
  mirostat: 0,
  mirostat_mode: 0,
  typical_p: 1,
  top_n_sigma: -1,
  dynatemp_range: 0,
  xtc_probability: 0,
  dry_multiplier: 0,
  min_tokens: 0,
  length_penalty: 1,
  use_beam_search: false,
};

/** One sentence per field that was accepted but is not acted on, for the warning header. */
export function ignoredSamplers(body: JsonObject): string[] {
  return Object.entries(neutral)
    .filter(([field, value]) => body[field] !== undefined && body[field] !== null && body[field] !== value)
    .map(([field]) => `${field} is not supported and was ignored`);
}
