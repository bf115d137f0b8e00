import type { AudioPart } from '../../contract/request.ts';
import { mediaAt, mediaOf } from './media.ts';

/** A sound by its address: a `data:` URI, or `http(s)`, which the server fetches only where that is allowed. */
export function audioAt(url: string, param: string): AudioPart {
  return mediaAt('audio', url, param);
}

/** A sound as base64, with or without `data:` in front. What it is called does not count: its first bytes tell. */
export function audioOf(data: string, param: string): AudioPart {
  return mediaOf('audio', data, param);
}
