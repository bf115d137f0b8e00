import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Content, ContentPart, ImagePart } from '../../contract/request.ts';
import { imageAt } from '../shared/images.ts';
import { show } from '../shared/validate.ts';

type Parts = string | readonly JsonObject[];
type Warn = (warning: string) => void;

const media: Readonly<Record<string, string>> = {
  input_file: 'a file',
  input_audio: 'audio',
  input_video: 'a video',
};

/** A message's content. What a text model cannot see is refused: the answer would be about something else. */
export function messageContent(content: Parts, param: string): Content {
  if (typeof content === 'string') return content;
  return plain(content.map((part, index) => contentPart(part, `${param}[${index}]`)));
}

/**
 * One part is the same as its text: clients write a message as either, now this way and later that way, and the prompt
 * of a conversation must not change by it.
 */
function plain(parts: readonly ContentPart[]): Content {
  const [first, ...others] = parts;
  return first?.type === 'text' && others.length === 0 ? first.text : parts;
}

function contentPart(part: JsonObject, param: string): ContentPart {
  const text = partText(part);
  if (text !== undefined) return { type: 'text', text };
  const image = imagePart(part, param);
  if (image) return image;
  const what = mediumOf(part) ?? `a part of type ${show(part.type)}`;
  throw new ServeError(
    'invalid_request',
    `\`${param}\` is ${what}, but the model reads text and images only. Send its content as an input_text part.`,
    { param },
  );
}

/**
 * What a tool gave back. An agent cannot take its tool's result back, so parts that are not text become a note instead
 * of an error in the middle of a task.
 */
export function outputContent(output: unknown, param: string, warn: Warn): Content {
  if (typeof output === 'string') return output;
  if (Array.isArray(output) && output.every(isJsonObject))
    return plain(output.map((part, index) => outputPart(part, `${param}[${index}]`, warn)));
  // What a computer tool gives back is one image.
  const image = isJsonObject(output) ? imagePart(output, param) : undefined;
  if (image) return [image];
  return output === undefined || output === null ? '' : JSON.stringify(output);
}

function outputPart(part: JsonObject, param: string, warn: Warn): ContentPart {
  const text = partText(part);
  if (text !== undefined) return { type: 'text', text };
  const image = imagePart(part, param);
  if (image) return image;
  const medium = mediumOf(part);
  if (medium === undefined) return { type: 'text', text: JSON.stringify(part) };
  warn(`A tool's output holds ${medium}; the model reads text and images only and sees a note in its place.`);
  return { type: 'text', text: `[${medium} was left out: this model reads text and images only]` };
}

function imagePart(part: JsonObject, param: string): ImagePart | undefined {
  if (part.type !== 'input_image' && part.type !== 'computer_screenshot') return undefined;
  if (typeof part.image_url === 'string') return imageAt(part.image_url, `${param}.image_url`);
  throw new ServeError(
    'invalid_request',
    `\`${param}\` names its image by \`file_id\`, but this server keeps no files. Send it as \`image_url\`.`,
    { param },
  );
}

function mediumOf(part: JsonObject): string | undefined {
  return typeof part.type === 'string' ? media[part.type] : undefined;
}

function partText(part: JsonObject): string | undefined {
  if (typeof part.text === 'string') return part.text;
  return typeof part.refusal === 'string' ? part.refusal : undefined;
}

/** Text of parts that belong together, as the model wrote it: one text that was cut into parts. */
export function joinedText(parts: Parts | undefined): string {
  if (parts === undefined || typeof parts === 'string') return parts ?? '';
  return parts.map((part) => partText(part) ?? '').join('');
}
