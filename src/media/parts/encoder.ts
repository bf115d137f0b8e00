import type { Graph, Tensor } from '../../native/graph.ts';
import type { Encoder } from '../eye.ts';
import type { Pixels } from '../pixels.ts';
import type { Weights } from '../weights.ts';
import type { AttentionOptions } from './attention.ts';
import type { Transformer } from './shape.ts';
import { transformerBlock } from './transformer.ts';

export interface EncoderParts {
  /** Patches with their places, [width, rows]. */
  begin(graph: Graph, tile: Pixels): Tensor;
  attention?(index: number, tile: Pixels): AttentionOptions;
  readonly tapped?: readonly number[];
  /** What the transformer gives, to rows that the model takes. */
  project(graph: Graph, rows: Tensor, tile: Pixels, taps: readonly Tensor[]): Tensor;
}

/** Most encoders: a norm before the blocks and one behind them, where the file has them. */
export function encoderOf(weights: Weights, shape: Transformer, parts: EncoderParts): Encoder {
  return {
    blocks: shape.blocks,
    tapped: parts.tapped ?? [],
    begin: (graph, tile) => shape.norm(graph, parts.begin(graph, tile), weights, 'v.pre_ln'),
    block: (graph, index, rows, tile) =>
      transformerBlock(graph, weights, shape, index, rows, parts.attention?.(index, tile)),
    end: (graph, rows, taps, tile) => parts.project(graph, shape.norm(graph, rows, weights, 'v.post_ln'), tile, taps),
  };
}
