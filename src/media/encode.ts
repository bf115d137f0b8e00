import type { Compute } from '../native/compute.ts';
import { Graph, type Tensor } from '../native/graph.ts';
import type { Encoder } from './eye.ts';
import type { Pixels } from './pixels.ts';

/** Of one piece: a block has about 40, preprocessing a few more. */
const mostTensors = 1024;

/** One tile on its way through the encoder, as far as it has come. */
export class Encoding {
  readonly #encoder: Encoder;
  readonly #compute: Compute;
  readonly #tile: Pixels;
  readonly #taps = new Map<number, Values>();
  #rows: Values | undefined;
  #next = 0;

  constructor(encoder: Encoder, compute: Compute, tile: Pixels) {
    this.#encoder = encoder;
    this.#compute = compute;
    this.#tile = tile;
  }

  /** Pieces that are still to be computed; none: it is done. */
  get left(): number {
    return this.#encoder.blocks + 2 - this.#next;
  }

  /** Computes the next pieces. False: it was interrupted, and they are still to be computed. */
  advance(pieces: number): boolean {
    const end = Math.min(this.#next + Math.max(1, pieces), this.#encoder.blocks + 2);
    const graph = new Graph(this.#compute.library, mostTensors * (end - this.#next));
    try {
      return this.#computeUpTo(graph, end);
    } finally {
      graph.free();
    }
  }

  /** The rows that the model takes, one after another. */
  get result(): Float32Array {
    if (this.left > 0 || !this.#rows) throw new Error('The image is not encoded yet.');
    return this.#rows.values;
  }

  #computeUpTo(graph: Graph, end: number): boolean {
    const { blocks, tapped } = this.#encoder;
    const taps: { readonly index: number; readonly tensor: Tensor }[] = [];
    const tapOf = (index: number) => {
      const kept = this.#taps.get(index);
      return kept ? graph.input(kept.values, kept.shape) : taps.find((tap) => tap.index === index)?.tensor;
    };
    let rows = this.#rows && graph.input(this.#rows.values, this.#rows.shape);
    for (let at = this.#next; at < end; at++) {
      if (at === 0) rows = this.#encoder.begin(graph, this.#tile);
      else if (!rows) throw new Error('An image is encoded from its beginning.');
      else if (at <= blocks) rows = this.#encoder.block(graph, at - 1, rows, this.#tile);
      else
        rows = this.#encoder.end(
          graph,
          rows,
          tapped.map(tapOf).filter((tap) => tap !== undefined),
          this.#tile,
        );
      if (at > 0 && at <= blocks && tapped.includes(at - 1)) taps.push({ index: at - 1, tensor: rows });
    }
    if (!rows) return true;
    const wanted = end > blocks + 1 ? [rows] : [rows, ...taps.map(({ tensor }) => tensor)];
    const values = this.#compute.run(graph, wanted);
    if (!values) return false;
    for (const [place, tensor] of wanted.entries()) {
      const kept = { values: values[place] ?? new Float32Array(), shape: tensor.shape };
      const tap = place === 0 ? undefined : taps[place - 1];
      if (tap) this.#taps.set(tap.index, kept);
      else this.#rows = kept;
    }
    this.#next = end;
    return true;
  }
}

interface Values {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}
