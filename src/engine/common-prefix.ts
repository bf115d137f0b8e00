/** How many leading tokens two sequences share. */
export function commonPrefix(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const end = Math.min(left.length, right.length);
  let length = 0;
  while (length < end && left[length] === right[length]) length++;
  return length;
}
