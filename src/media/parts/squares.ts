import type { Graph, Tensor } from '../../native/graph.ts';
import { channels, type Pixels, planes } from '../pixels.ts';
import type { Hyperparameters } from '../projector-file.ts';
import type { Weights } from '../weights.ts';
import type { VisionTransformer } from './shape.ts';

/** Patches a side of the squares that become one row for the model: encoders of this kind have their patches in squares. */
export const squareSide = 2;

export function mustHaveSquares(given: Hyperparameters): void {
  const side = given.count('clip.vision.spatial_merge_size', squareSide);
  if (side !== squareSide) throw given.odd(`its rows are of ${side} x ${side} patches`);
}

export interface Grid {
  /** In patches. */
  readonly columns: number;
  readonly lines: number;
}

export function gridOf({ patchSize }: VisionTransformer, { width, height }: Pixels): Grid {
  return { columns: Math.floor(width / patchSize), lines: Math.floor(height / patchSize) };
}

/** The image in patches, each a row [width, patches], square by square. Two kernels, for films: a picture is seen by both. */
export function squarePatches(graph: Graph, weights: Weights, shape: VisionTransformer, tile: Pixels): Tensor {
  const { width, height } = tile;
  const image = graph.input(planes(tile, shape.mean, shape.deviation), [width, height, channels]);
  const seen = (kernel: string) => graph.patches(weights.get(kernel), image);
  const both = graph.add(seen('v.patch_embd.weight'), seen('v.patch_embd.weight.1'));
  return inSquares(graph, graph.pack(graph.permute(both, [1, 2, 0, 3])), gridOf(shape, tile));
}

/** Rows in lines -> the same in squares. */
export function inSquares(graph: Graph, rows: Tensor, { columns, lines }: Grid): Tensor {
  const [width] = rows.shape;
  const pairs = graph.reshape(rows, [width * squareSide, columns / squareSide, squareSide, lines / squareSide]);
  return graph.pack(graph.permute(pairs, [0, 2, 1, 3]), [width, columns * lines]);
}

/** Line and column of each patch, square by square; `order`: the number of the square that comes at each place. */
export function squarePlaces({ columns, lines }: Grid, order?: Int32Array): { line: number; column: number }[] {
  const across = columns / squareSide;
  const squares = order ?? Int32Array.from({ length: across * (lines / squareSide) }, (_, at) => at);
  return Array.from(squares).flatMap((square) => {
    const [line, column] = [Math.floor(square / across) * squareSide, (square % across) * squareSide];
    return Array.from({ length: squareSide ** 2 }, (_, at) => ({
      line: line + Math.floor(at / squareSide),
      column: column + (at % squareSide),
    }));
  });
}
