import type { ImagePart, Message } from '../../contract/request.ts';
import { textOfContent } from '../../contract/request.ts';
import { mediaAt, mediaOf } from './media.ts';

/** An image by its address: a `data:` URI, or `http(s)`, which the server fetches only where that is allowed. */
export function imageAt(url: string, param: string): ImagePart {
  return mediaAt('image', url, param);
}

/** An image as base64, with or without `data:` in front. */
export function imageOf(data: string, param: string): ImagePart {
  return mediaOf('image', data, param);
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
