import type { Graph, Tensor } from '../../native/graph.ts';
import type { Weights } from '../weights.ts';
import { type AttentionOptions, attend } from './attention.ts';
import { feedForward } from './layers.ts';
import type { Transformer } from './shape.ts';

/** Pre-norm attention and feed-forward, each added to the rows; layer scales where the file has them. */
export function transformerBlock(
  graph: Graph,
  weights: Weights,
  shape: Transformer,
  index: number,
  rows: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const name = `${shape.sense}.blk.${index}`;
  const scaled = (tensor: Tensor, scale: string) => {
    const found = weights.find(`${name}.${scale}.weight`);
    return found ? graph.times(tensor, found) : tensor;
  };
  const normed = shape.norm(graph, rows, weights, `${name}.ln1`);
  const attention = attend(graph, weights, shape, name, normed, options);
  const added = graph.add(scaled(attention, 'ls1'), rows);
  const inner = shape.norm(graph, added, weights, `${name}.ln2`);
  return graph.add(added, scaled(feedForward(graph, weights, `${name}.ffn`, inner, shape.activation), 'ls2'));
}
