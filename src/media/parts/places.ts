import { type Graph, interpolations, type Tensor } from '../../native/graph.ts';
import type { Weights } from '../weights.ts';
import type { Grid } from './squares.ts';

export const placesName = 'v.position_embd.weight';

/** How a table of places is scaled to images of another size. */
export const placeScaling = {
  bilinear: interpolations.bilinear | interpolations.antialiased,
  aligned: interpolations.bilinear | interpolations.alignedCorners,
  bicubic: interpolations.bicubic,
} as const;

/** What was learned for each place, [width, places]: the file's square table, scaled to an image of this grid. */
export function scaledPlaces(
  graph: Graph,
  weights: Weights,
  { columns, lines }: Grid,
  scaling: keyof typeof placeScaling,
): Tensor {
  const table = weights.get(placesName);
  const [width, places] = table.shape;
  const side = Math.floor(Math.sqrt(places));
  if (columns === side && lines === side && places === side * side) return table;
  const image = graph.permute(graph.reshape(table, [width, side, side]), [2, 0, 1, 3]);
  const scaled = graph.interpolate(image, columns, lines, placeScaling[scaling]);
  return graph.pack(graph.permute(scaled, [1, 2, 0, 3]), [width, columns * lines]);
}
