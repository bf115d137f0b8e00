import { ServeError } from '../../contract/errors.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';

interface Refusal {
  /** The values that ask for nothing. */
  readonly harmless: (value: JsonValue) => boolean;
  readonly nextStep: string;
}

const never = () => false;
const textOnly = 'This server takes text and images, and answers with text only.';

/** Fields that change the meaning of a request and that this server cannot do: refused by name, never dropped. */
export const refusedFields: Readonly<Record<string, Refusal>> = {
  audio: { harmless: never, nextStep: textOnly },
  modalities: {
    harmless: (value) => Array.isArray(value) && value.every((entry) => entry === 'text'),
    nextStep: textOnly,
  },
  audio_base64: { harmless: (value) => value === '', nextStep: textOnly },
  functions: {
    harmless: (value) => Array.isArray(value) && value.length === 0,
    nextStep: 'Send the functions as `tools`.',
  },
  function_call: { harmless: (value) => value === 'auto' || value === 'none', nextStep: 'Use `tool_choice`.' },
  web_search_options: {
    harmless: never,
    nextStep: 'This server does not search the web: offer a search tool of your own.',
  },
  moderation: { harmless: never, nextStep: 'This server has no moderation model: leave the field out.' },
};

export function refuseUnsupported(body: JsonObject): void {
  for (const [field, { harmless, nextStep }] of Object.entries(refusedFields)) {
    const value = body[field];
    if (value === undefined || value === null || harmless(value)) continue;
    throw new ServeError('unsupported_parameter', `\`${field}\` is not supported. ${nextStep}`, { param: field });
  }
}
