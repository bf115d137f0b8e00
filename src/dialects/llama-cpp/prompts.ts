import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { ImagePart, Prompt } from '../../contract/request.ts';
import { imageOf } from '../shared/images.ts';
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
  if (typeof text === 'string') return withMedia(text, media ?? [], param);
  throw wrong(`${param}.prompt_string`, `\`${param}.prompt_string\` is missing: it must be a string.`);
}

/** Where an image stands in a prompt; GET /props tells it. */
export const mediaMarker = '<__media__>';

/** `multimodal_data`: base64 of images, in the order of their markers. */
function withMedia(text: string, media: JsonValue, param: string): Prompt {
  const field = `${param}.multimodal_data`;
  if (!Array.isArray(media)) throw wrong(field, `\`${field}\` must be a list of images as base64.`);
  if (media.length === 0) return { type: 'text', text };
  const images = media.map((data, index) => {
    if (typeof data === 'string') return imageOf(data, `${field}[${index}]`);
    throw wrong(field, `\`${field}[${index}]\` is ${show(data)}, but must be an image as base64.`);
  });
  const texts = text.split(mediaMarker);
  if (texts.length !== images.length + 1) {
    const markers = texts.length - 1;
    throw wrong(field, `\`${field}\` has ${images.length} images, but the prompt has ${markers} times ${mediaMarker}.`);
  }
  const parts = texts.flatMap((piece, index): (string | ImagePart)[] => [
    ...(piece === '' ? [] : [piece]),
    ...images.slice(index, index + 1),
  ]);
  return { type: 'mixed', parts };
}

/** The older form: `image_data` [{data, id}] for `[img-ID]` in the prompt. */
export function withImageData(prompt: Prompt, data: JsonValue | undefined): Prompt {
  if (data === undefined || data === null || (Array.isArray(data) && data.length === 0)) return prompt;
  if (!Array.isArray(data) || prompt.type !== 'text')
    throw wrong(
      'image_data',
      '`image_data` must be a list of images [{"data": base64, "id": 1}] for one text as prompt.',
    );
  const images = new Map(data.map((entry, index) => imageEntry(entry, `image_data[${index}]`)));
  const used = new Set<string>();
  const parts = prompt.text.split(/(\[img-\d+\])/).flatMap((piece): (string | ImagePart)[] => {
    const image = images.get(piece);
    if (image) used.add(piece);
    return image ? [image] : piece === '' ? [] : [piece];
  });
  const lost = [...images.keys()].find((mark) => !used.has(mark));
  if (lost !== undefined)
    throw wrong('image_data', `The prompt has no ${lost}, where an image of \`image_data\` would stand.`);
  return { type: 'mixed', parts };
}

function imageEntry(entry: JsonValue, param: string): [string, ImagePart] {
  if (!isJsonObject(entry) || typeof entry.data !== 'string' || typeof entry.id !== 'number')
    throw wrong(param, `\`${param}\` must be {"data": base64, "id": 1}.`);
  return [`[img-${entry.id}]`, imageOf(entry.data, `${param}.data`)];
}

function isToken(part: JsonValue): part is number {
  return typeof part === 'number' && Number.isInteger(part) && part >= 0;
}

function wrong(param: string, message: string): ServeError {
  return new ServeError('invalid_request', message, { param });
}
