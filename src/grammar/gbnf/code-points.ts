import type { CodePointRange } from './gbnf.ts';

/** Every character of Unicode text: all code points but the surrogates. */
export const anyChar: readonly CodePointRange[] = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** Sorted, joined, and without surrogates. */
export function tidy(ranges: readonly CodePointRange[]): readonly CodePointRange[] {
  return invert(invert(ranges));
}

/** All characters that are in none of the ranges. */
export function invert(ranges: readonly CodePointRange[]): readonly CodePointRange[] {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  return anyChar.flatMap(([low, high]) => {
    const found: CodePointRange[] = [];
    let from = low;
    for (const [start, end] of sorted) {
      if (end < from || start > high) continue;
      if (start > from) found.push([from, start - 1]);
      from = end + 1;
    }
    if (from <= high) found.push([from, high]);
    return found;
  });
}
