import type { Graph, Tensor } from '../native/graph.ts';

/**
 * A transformer in pieces, so that an image or a sound can be encoded beside other work: `begin`, each block, `end`. Between
 * pieces only the rows [width, n] and what `tapped` asks for are kept.
 */
export interface Encoder<Input> {
  readonly blocks: number;
  /** Blocks whose rows `end` gets besides, ascending. */
  readonly tapped: readonly number[];
  begin(graph: Graph, input: Input): Tensor;
  block(graph: Graph, index: number, rows: Tensor, input: Input): Tensor;
  /** The rows that the model takes. */
  end(graph: Graph, rows: Tensor, taps: readonly Tensor[], input: Input): Tensor;
}
