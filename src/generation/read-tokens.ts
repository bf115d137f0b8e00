import type { TokenText } from '../engine/engine.ts';
import { isMediaRow } from '../engine/media-ids.ts';

/**
 * A prompt that begins with the tokens that were read and written already, as far as both spell the same: a model need not
 * write a text in the tokens that a tokenizer makes of it, and what it reads on from must not be read anew for that.
 * Control tokens and rows of images and sounds are never taken for text that looks like them.
 */
export function withReadTokens(
  prompt: readonly number[],
  read: readonly number[],
  text: Pick<TokenText, 'bytes' | 'isControl'>,
): readonly number[] {
  const isText = (token: number) => !isMediaRow(token) && !text.isControl(token);
  let ahead = none;
  let at = { read: 0, prompt: 0 };
  let seam = at;
  for (;;) {
    const next = { read: read[at.read], prompt: prompt[at.prompt] };
    const areSame = ahead === none && next.read !== undefined && next.read === next.prompt;
    const side = ahead.side === 'read' ? 'prompt' : 'read';
    const token = next[side];
    if (areSame) at = { read: at.read + 1, prompt: at.prompt + 1 };
    else {
      const rest = token !== undefined && isText(token) && behind(ahead, { side, bytes: text.bytes(token) });
      if (!rest) break;
      at = { ...at, [side]: at[side] + 1 };
      ahead = rest;
    }
    if (ahead === none) seam = at;
  }
  return [...read.slice(0, seam.read), ...prompt.slice(seam.prompt)];
}

/** What one side has spelled and the other has not yet. */
interface Spelled {
  readonly side: 'read' | 'prompt';
  readonly bytes: Uint8Array;
}

const none: Spelled = { side: 'prompt', bytes: new Uint8Array() };

/** What then is ahead; undefined where the two differ. */
function behind(ahead: Spelled, more: Spelled): Spelled | undefined {
  if (ahead === none) return more.bytes.length === 0 ? none : more;
  const length = Math.min(ahead.bytes.length, more.bytes.length);
  for (let at = 0; at < length; at++) if (ahead.bytes[at] !== more.bytes[at]) return undefined;
  if (ahead.bytes.length === more.bytes.length) return none;
  const longer = ahead.bytes.length > length ? ahead : more;
  return { side: longer.side, bytes: longer.bytes.subarray(length) };
}
