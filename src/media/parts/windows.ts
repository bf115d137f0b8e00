import type { Windows } from './attention.ts';
import { type Grid, squareSide } from './squares.ts';

export interface WindowOrder {
  /** The number of the square that comes at each place, window by window. */
  readonly order: Int32Array;
  /** The place of each square. */
  readonly back: Int32Array;
  readonly windows: readonly Windows[];
}

/** Squares of patches in windows of `side` x `side` squares; those at the edges are smaller. Equal ones lie together. */
export function windowOrder({ columns, lines }: Grid, side: number): WindowOrder {
  const [across, down] = [columns / squareSide, lines / squareSide];
  const bySize = new Map<string, number[][]>();
  for (let top = 0; top < down; top += side) {
    for (let left = 0; left < across; left += side) {
      const [wide, high] = [Math.min(side, across - left), Math.min(side, down - top)];
      const squares = Array.from({ length: wide * high }, (_, at) => {
        const line = top + Math.floor(at / wide);
        return line * across + left + (at % wide);
      });
      const size = `${wide} ${high}`;
      bySize.set(size, [...(bySize.get(size) ?? []), squares]);
    }
  }
  const groups = [...bySize.values()];
  const order = Int32Array.from(groups.flat(2));
  const back = new Int32Array(order.length);
  for (const [place, square] of order.entries()) back[square] = place;
  const windows = groups.map((group) => ({ count: group.length, rows: (group[0]?.length ?? 0) * squareSide ** 2 }));
  return { order, back, windows };
}
