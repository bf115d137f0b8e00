import type { Eye, PicturePart } from '../eye.ts';
import { resizeInto } from '../resize.ts';
import { sizeWithin } from './size.ts';

/** The ground of what does not fill its size. */
export const black = [0, 0, 0] as const;

export interface Marks {
  readonly before?: string;
  readonly behind?: string;
}

/** Rows between the texts that this family has around them. */
export function between({ before, behind }: Marks, parts: readonly PicturePart[]): PicturePart[] {
  const text = (mark: string | undefined): PicturePart[] => (mark === undefined ? [] : [{ type: 'text', text: mark }]);
  return [...text(before), ...parts, ...text(behind)];
}

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
