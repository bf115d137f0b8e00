import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { Prompt } from '../../contract/request.ts';
import { show } from '../shared/validate.ts';

const maxPrompts = 2048;
/** Each is a call of the tokenizer. */
const maxTexts = 1000;

/**
 * The prompts of llama.cpp's /completion: one (a text, tokens, both mixed, or an object with `prompt_string`) or a list
 * of such. A list of numbers, or of numbers and texts, is one prompt; a list of texts, lists or objects is as many.
 */
export function readPrompts(value: JsonValue | undefined): readonly Prompt[] {
  if (!Array.isArray(value)) return [readPrompt(value, 'prompt')];
  if (value.some((entry) => typeof entry === 'number')) return [readPrompt(value, 'prompt')];
  if (value.length === 0 || value.length > maxPrompts)
    throw wrong('prompt', `\`prompt\` has ${value.length} entries, but must have 1 to ${maxPrompts}.`);
  return value.map((entry, index) => readPrompt(entry, `prompt[${index}]`));
}

function readPrompt(value: JsonValue | undefined, param: string): Prompt {
  if (typeof value === 'string') return { type: 'text', text: value };
  if (Array.isArray(value)) return readMixed(value, param);
  if (isJsonObject(value)) return readObject(value, param);
  throw wrong(param, `\`${param}\` is ${value === undefined ? 'missing' : show(value)}, but must be a text or tokens.`);
}

function readMixed(parts: readonly JsonValue[], param: string): Prompt {
  const tokens = parts.filter((part): part is number => isToken(part));
  if (tokens.length === parts.length && parts.length > 0) return { type: 'tokens', tokens };
  const mixed = parts.filter((part): part is number | string => typeof part === 'string' || isToken(part));
  if (mixed.length - tokens.length > maxTexts)
    throw wrong(
      param,
      `\`${param}\` has ${mixed.length - tokens.length} texts between its tokens, but at most ${maxTexts} are allowed.`,
    );
  if (mixed.length === parts.length && parts.length > 0) return { type: 'mixed', parts: mixed };
  const index = parts.findIndex((part) => typeof part !== 'string' && !isToken(part));
  throw wrong(
    param,
    `\`${param}\` must hold tokens and texts only, not ${index < 0 ? 'nothing' : show(parts[index])}.`,
  );
}

function readObject(value: JsonObject, param: string): Prompt {
  const { prompt_string: text, multimodal_data: media } = value;
  if (media !== undefined && media !== null && !(Array.isArray(media) && media.length === 0))
    throw new ServeError('unsupported_parameter', 'This server takes text only: leave `multimodal_data` out.', {
      param: `${param}.multimodal_data`,
    });
  if (typeof text === 'string') return { type: 'text', text };
  throw wrong(`${param}.prompt_string`, `\`${param}.prompt_string\` is missing: it must be a string.`);
}

function isToken(part: JsonValue): part is number {
  return typeof part === 'number' && Number.isInteger(part) && part >= 0;
}

function wrong(param: string, message: string): ServeError {
  return new ServeError('invalid_request', message, { param });
}
