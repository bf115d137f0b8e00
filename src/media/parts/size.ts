import type { Pixels } from '../pixels.ts';

export interface SizeRule {
  /** Sides are multiples of it. */
  readonly multiple: number;
  /** In points. Without: no limit. */
  readonly least?: number;
  readonly most?: number;
}

/**
 * The size at which an encoder that takes any size gets an image: with its proportions kept as far as the multiples allow,
 * and with so many points. In single precision, as llama.cpp computes it: sizes hang on the last bit.
 */
export function sizeWithin(
  { width, height }: Pick<Pixels, 'width' | 'height'>,
  { multiple, least = 0, most = Number.POSITIVE_INFINITY }: SizeRule,
): { readonly width: number; readonly height: number } {
  const inMultiples = (length: number, round: (value: number) => number) =>
    round(Math.fround(Math.fround(length) / multiple)) * multiple;
  const nearest = (length: number) => Math.max(multiple, inMultiples(length, Math.round));
  const [wide, high] = [nearest(width), nearest(height)];
  const points = Math.fround(Math.fround(height) * width);
  if (wide * high > most) {
    const shrink = Math.fround(Math.sqrt(Math.fround(points / most)));
    const below = (length: number) => Math.max(multiple, inMultiples(Math.fround(length / shrink), Math.floor));
    return { width: below(width), height: below(height) };
  }
  if (wide * high < least) {
    const grow = Math.fround(Math.sqrt(Math.fround(least / points)));
    const above = (length: number) => inMultiples(Math.fround(length * grow), Math.ceil);
    return { width: above(width), height: above(height) };
  }
  return { width: wide, height: high };
}
