import type { PicturePart } from '../eye.ts';
import { crop, type Pixels } from '../pixels.ts';

/** An image in tiles of `side` points, line by line; its sides are multiples. */
export function tilesOf(image: Pixels, side: number): Pixels[][] {
  return Array.from({ length: image.height / side }, (_, line) =>
    Array.from({ length: image.width / side }, (_, column) =>
      crop(image, { left: column * side, top: line * side, width: side, height: side }),
    ),
  );
}

/** What makes `columns` x `lines` rows of every tile of one size. */
export function rowsOfTile(side: number): (tile: Pixels) => PicturePart {
  return (tile) => ({
    type: 'rows',
    tile,
    columns: Math.ceil(tile.width / side),
    lines: Math.ceil(tile.height / side),
  });
}

export function text(mark: string): PicturePart {
  return { type: 'text', text: mark };
}
