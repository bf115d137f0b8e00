import type { Graph, Tensor } from '../../native/graph.ts';
import type { Grid } from './squares.ts';

/** Rows in lines -> `side` x `side` of them as one longer row, line by line. */
export function shuffled(graph: Graph, rows: Tensor, { columns, lines }: Grid, side: number): Tensor {
  const [width] = rows.shape;
  if (columns % side !== 0 || lines % side !== 0)
    throw new RangeError(`${columns} x ${lines} are no squares of ${side}.`);
  const across = graph.permute(graph.reshape(rows, [width * side, columns / side, lines]), [0, 2, 1, 3]);
  const down = graph.pack(across, [width * side * side, lines / side, columns / side]);
  return graph.pack(graph.permute(down, [0, 2, 1, 3]), [width * side * side, (columns / side) * (lines / side)]);
}

/** Means of `side` x `side` rows. */
export function averaged(graph: Graph, rows: Tensor, { columns, lines }: Grid, side: number): Tensor {
  const [width] = rows.shape;
  const image = graph.pack(graph.transpose(rows), [columns, lines, width]);
  const pooled = graph.averagePool(image, side);
  const [across, down] = pooled.shape;
  return graph.pack(graph.transpose(graph.reshape(pooled, [across * down, width])));
}
