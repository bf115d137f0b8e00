import { ServeError } from '../../contract/errors.ts';
import type { MediaPart } from '../../contract/request.ts';

const names = {
  image: { it: 'image', example: 'data:image/png;base64,...' },
  audio: { it: 'sound', example: 'data:audio/wav;base64,...' },
} as const satisfies Record<MediaPart['type'], object>;

/** By its address: a `data:` URI, or `http(s)`, which the server fetches only where that is allowed. */
export function mediaAt<Type extends MediaPart['type']>(type: Type, url: string, param: string) {
  if (/^data:/i.test(url)) {
    return { type, source: { type: 'file', base64: base64OfUri(type, url, param) }, param } as const;
  }
  if (/^https?:\/\//i.test(url)) return { type, source: { type: 'url', url }, param } as const;
  throw new ServeError(
    'invalid_request',
    `\`${param}\` is no ${names[type].it}: give a data: URI with base64, or an http(s) address. Files are not read from the server's disk.`,
    { param },
  );
}

/** As base64, with or without `data:` in front. */
export function mediaOf<Type extends MediaPart['type']>(type: Type, data: string, param: string) {
  if (/^data:/i.test(data)) return mediaAt(type, data, param);
  return { type, source: { type: 'file', base64: checked(data, param) }, param } as const;
}

function base64OfUri(type: MediaPart['type'], uri: string, param: string): string {
  const comma = uri.indexOf(',');
  const isBase64 = comma >= 0 && /;base64$/i.test(uri.slice(0, comma).trimEnd());
  if (isBase64) return checked(uri.slice(comma + 1), param);
  throw new ServeError('invalid_request', `\`${param}\` is a data: URI without base64: write ${names[type].example}`, {
    param,
  });
}

/** Looked through once: files are long, and what pretends to be one may be anything. */
function checked(data: string, param: string): string {
  const end = data.search(/[^A-Za-z0-9+/_\-\s]/);
  const padding = end < 0 ? '' : data.slice(end).trimEnd();
  if (data !== '' && (padding === '' || padding === '=' || padding === '==')) return data;
  throw new ServeError('invalid_request', `\`${param}\` is no base64.`, { param });
}
