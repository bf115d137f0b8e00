import { outsideImages } from './image-ids.ts';

/** How many leading tokens two sequences share; an image only whole. */
export function commonPrefix(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const end = Math.min(left.length, right.length);
  let length = 0;
  while (length < end && left[length] === right[length]) length++;
  // The longer one tells whether the place lies within an image.
  return outsideImages(left.length > right.length ? left : right, length);
}
