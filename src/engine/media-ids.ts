/**
 * The rows of a medium, which is an image or a sound, or a part of one, stand among a prompt's tokens as ids above every
 * vocabulary, made of its content's hash: equal media are equal prefixes, different ones never. The first id of a medium is
 * marked, and tells how far positions move where that is not its number of rows; so a list of tokens alone says where media
 * lie, also one that was read from a file.
 */
const medium = 2 ** 30;
const begins = 2 ** 29;
const firstHashBits = 16;
const mostAdvance = 2 ** 13;

export interface MediaSpan {
  readonly start: number;
  readonly rows: number;
  /** By how much the next token's position lies behind the first row's. */
  readonly advance: number;
}

/** `hash`: uniform, four bytes for each row. `advance`: only where it is not the number of rows. */
export function mediaIds(rows: number, hash: Uint8Array, advance = 0): number[] {
  if (advance >= mostAdvance) throw new RangeError(`Media of ${advance} positions are too large.`);
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return Array.from({ length: rows }, (_, row) => {
    const bits = view.getUint32(row * 4);
    if (row > 0) return medium + (bits % begins);
    return medium + begins + advance * 2 ** firstHashBits + (bits % 2 ** firstHashBits);
  });
}

export function isMediaRow(id: number): boolean {
  return id >= medium;
}

function beginsMedium(id: number): boolean {
  return id >= medium + begins;
}

/** A place at or before `at` where these tokens may be cut: not within a medium. */
export function outsideMedia(tokens: ArrayLike<number>, at: number): number {
  let place = at;
  while (place > 0 && place < tokens.length && isInside(tokens[place] ?? 0)) place--;
  return place;
}

function isInside(id: number): boolean {
  return isMediaRow(id) && !beginsMedium(id);
}

/** Where media lie; of an unfinished one as much as there is. */
export function mediaIn(tokens: ArrayLike<number>): MediaSpan[] {
  const spans: MediaSpan[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const id = tokens[at] ?? 0;
    if (!isMediaRow(id)) continue;
    const start = at;
    while (at + 1 < tokens.length && isInside(tokens[at + 1] ?? 0)) at++;
    const rows = at - start + 1;
    spans.push({ start, rows, advance: Math.floor((id % begins) / 2 ** firstHashBits) || rows });
  }
  return spans;
}
