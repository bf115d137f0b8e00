import type { Graph, Tensor } from '../../native/graph.ts';
import type { Encoder } from '../encoder.ts';
import type { Weights } from '../weights.ts';
import type { AttentionOptions } from './attention.ts';
import type { Transformer } from './shape.ts';
import { transformerBlock } from './transformer.ts';

export interface EncoderParts<Input> {
  /** Patches or frames with their places, [width, rows]. */
  begin(graph: Graph, input: Input): Tensor;
  attention?(index: number, input: Input): AttentionOptions;
  readonly tapped?: readonly number[];
  /** What the transformer gives, to rows that the model takes. */
  project(graph: Graph, rows: Tensor, input: Input, taps: readonly Tensor[]): Tensor;
}

/** Most encoders: a norm before the blocks and one behind them, where the file has them. */
export function encoderOf<Input>(weights: Weights, shape: Transformer, parts: EncoderParts<Input>): Encoder<Input> {
  return {
    blocks: shape.blocks,
    tapped: parts.tapped ?? [],
    begin: (graph, input) => shape.norm(graph, parts.begin(graph, input), weights, `${shape.sense}.pre_ln`),
    block: (graph, index, rows, input) =>
      transformerBlock(graph, weights, shape, index, rows, parts.attention?.(index, input)),
    end: (graph, rows, taps, input) =>
      parts.project(graph, shape.norm(graph, rows, weights, `${shape.sense}.post_ln`), input, taps),
  };
}
