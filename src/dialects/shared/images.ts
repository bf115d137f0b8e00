import { ServeError } from '../../contract/errors.ts';
import type { ImagePart, Message } from '../../contract/request.ts';
import { textOfContent } from '../../contract/request.ts';

/** An image by its address: a `data:` URI, or `http(s)`, which the server fetches only where that is allowed. */
export function imageAt(url: string, param: string): ImagePart {
  if (/^data:/i.test(url)) return { type: 'image', source: { type: 'file', base64: base64OfUri(url, param) }, param };
  if (/^https?:\/\//i.test(url)) return { type: 'image', source: { type: 'url', url }, param };
  throw new ServeError(
    'invalid_request',
    `\`${param}\` is no image: give a data: URI with base64, or an http(s) address. Files are not read from the server's disk.`,
    { param },
  );
}

/** An image as base64, with or without `data:` in front. */
export function imageOf(data: string, param: string): ImagePart {
  if (/^data:/i.test(data)) return imageAt(data, param);
  return { type: 'image', source: { type: 'file', base64: checked(data, param) }, param };
}

function base64OfUri(uri: string, param: string): string {
  const comma = uri.indexOf(',');
  const isBase64 = comma >= 0 && /;base64$/i.test(uri.slice(0, comma).trimEnd());
  if (isBase64) return checked(uri.slice(comma + 1), param);
  throw new ServeError(
    'invalid_request',
    `\`${param}\` is a data: URI without base64: write data:image/png;base64,...`,
    {
      param,
    },
  );
}

/** Looked through once: images are long, and what pretends to be one may be anything. */
function checked(data: string, param: string): string {
  const end = data.search(/[^A-Za-z0-9+/_\-\s]/);
  const padding = end < 0 ? '' : data.slice(end).trimEnd();
  if (data !== '' && (padding === '' || padding === '=' || padding === '==')) return data;
  throw new ServeError('invalid_request', `\`${param}\` is no base64.`, { param });
}

/** Puts an image in front of the last message of the user; there is none: it becomes one. */
export function withImage(messages: readonly Message[], image: ImagePart): Message[] {
  const at = messages.findLastIndex(({ role }) => role === 'user');
  const message = messages[at];
  if (!message) return [...messages, { role: 'user', content: [image] }];
  const { content } = message;
  const text = typeof content === 'string' || content === null ? textOfContent(content) : undefined;
  const rest = text === undefined ? (content ?? []) : text === '' ? [] : [{ type: 'text' as const, text }];
  const parts = typeof rest === 'string' ? [] : rest;
  return messages.map((each, index) => (index === at ? { ...message, content: [image, ...parts] } : each));
}
