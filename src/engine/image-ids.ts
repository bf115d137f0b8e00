/**
 * An image's rows stand among a prompt's tokens as ids above every vocabulary, made of its content's hash: equal images
 * are equal prefixes, different ones never. The first id of an image is marked, and tells how far positions move where
 * that is not its number of rows; so a list of tokens alone says where images lie, also one that was read from a file.
 */
const image = 2 ** 30;
const begins = 2 ** 29;
const firstHashBits = 16;
const mostAdvance = 2 ** 13;

export interface ImageSpan {
  readonly start: number;
  readonly rows: number;
  /** By how much the next token's position lies behind the first row's. */
  readonly advance: number;
}

/** `hash`: uniform, four bytes for each row. `advance`: only where it is not the number of rows. */
export function imageIds(rows: number, hash: Uint8Array, advance = 0): number[] {
  if (advance >= mostAdvance) throw new RangeError(`Images of ${advance} positions are too large.`);
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return Array.from({ length: rows }, (_, row) => {
    const bits = view.getUint32(row * 4);
    if (row > 0) return image + (bits % begins);
    return image + begins + advance * 2 ** firstHashBits + (bits % 2 ** firstHashBits);
  });
}

export function isImageRow(id: number): boolean {
  return id >= image;
}

function beginsImage(id: number): boolean {
  return id >= image + begins;
}

/** A place at or before `at` where these tokens may be cut: not within an image. */
export function outsideImages(tokens: ArrayLike<number>, at: number): number {
  let place = at;
  while (place > 0 && place < tokens.length && isInside(tokens[place] ?? 0)) place--;
  return place;
}

function isInside(id: number): boolean {
  return isImageRow(id) && !beginsImage(id);
}

/** Where images lie; of an unfinished one as much as there is. */
export function imagesIn(tokens: ArrayLike<number>): ImageSpan[] {
  const spans: ImageSpan[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const id = tokens[at] ?? 0;
    if (!isImageRow(id)) continue;
    const start = at;
    while (at + 1 < tokens.length && isInside(tokens[at + 1] ?? 0)) at++;
    const rows = at - start + 1;
    spans.push({ start, rows, advance: Math.floor((id % begins) / 2 ** firstHashBits) || rows });
  }
  return spans;
}
