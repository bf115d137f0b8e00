import type { Eye } from '../eye.ts';
import { resizeInto } from '../resize.ts';
import { between, type Marks } from './marks.ts';
import { sizeWithin } from './size.ts';

/** The ground of what does not fill its size. */
export const black = [0, 0, 0] as const;

export interface AnySize {
  readonly patchSize: number;
  /** Patches a side of what becomes one row. */
  readonly merge: number;
  readonly rows: { readonly least: number; readonly most: number };
  readonly marks: Marks;
}

/** Scaled to a size that is made of whole rows, and encoded in one piece. */
export function prepareAnySize({ patchSize, merge, rows, marks }: AnySize): Eye['prepare'] {
  const multiple = patchSize * merge;
  const rule = { multiple, least: rows.least * multiple ** 2, most: rows.most * multiple ** 2 };
  return (image) => {
    const { width, height } = sizeWithin(image, rule);
    const tile = resizeInto(image, width, height, 'bicubic', black);
    return { parts: between(marks, [{ type: 'rows', tile, columns: width / multiple, lines: height / multiple }]) };
  };
}
