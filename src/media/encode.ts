import type { Computation } from '../native/computation.ts';
import type { Compute } from '../native/compute.ts';
import { Graph, type Tensor } from '../native/graph.ts';
import type { Encoder } from './encoder.ts';

/** Of the beginning, the end and each block: about 45, and 300 more where attention is computed for some rows at a time. */
const mostTensors = 1024;

/** One tile of an image, or one piece of a sound, on its way through the encoder, as far as it has come. To be freed. */
export class Encoding<Input = unknown> {
  readonly #encoder: Encoder<Input>;
  readonly #compute: Compute;
  readonly #input: Input;
  readonly #taps = new Map<number, Values>();
  #rows: Values | undefined;
  /** Of the beginning, the blocks and the end. */
  #next = 0;
  #stretch: Stretch | undefined;
  /** What the last stretch took for each of its parts, in multiplications. */
  #costOfPart: number | undefined;

  constructor(encoder: Encoder<Input>, compute: Compute, input: Input) {
    this.#encoder = encoder;
    this.#compute = compute;
    this.#input = input;
  }

  get done(): boolean {
    return this.#next === this.#parts;
  }

  /**
   * Computes what takes about `limit` multiplications, at least something; on a GPU whole blocks. Gives how many they
   * were; undefined: it was interrupted, and goes on from where memory holds it, on the processor from the beginning.
   */
  advance(limit: number): number | undefined {
    const stretch = this.#stretch ?? this.#describe(limit);
    this.#stretch = stretch;
    const cost = stretch.computation.advance(limit);
    if (cost !== undefined && stretch.computation.done) this.#keep(stretch, cost);
    if (cost === undefined) this.free();
    return cost;
  }

  /** The rows that the model takes, one after another. */
  get result(): Float32Array {
    if (!this.done || !this.#rows) throw new Error('It is not encoded yet.');
    return this.#rows.values;
  }

  free(): void {
    this.#stretch?.graph.free();
    this.#stretch = undefined;
  }

  get #parts(): number {
    return this.#encoder.blocks + 2;
  }

  /** The processor computes a graph in pieces, and gets all of it; a GPU gets as many blocks as there is time for. */
  #describe(limit: number): Stretch {
    const left = this.#parts - this.#next;
    const inTime = Math.max(1, Math.floor(limit / (this.#costOfPart ?? limit)));
    const end = this.#next + (this.#compute.onGpu ? Math.min(left, inTime) : left);
    const graph = new Graph(this.#compute.library, mostTensors * (end - this.#next));
    try {
      return this.#describeUpTo(graph, end);
    } catch (error) {
      graph.free();
      throw error;
    }
  }

  #describeUpTo(graph: Graph, end: number): Stretch {
    const { blocks, tapped } = this.#encoder;
    const taps: Tap[] = [];
    const tapOf = (index: number) => {
      const kept = this.#taps.get(index);
      return kept ? graph.input(kept.values, kept.shape) : taps.find((tap) => tap.index === index)?.tensor;
    };
    let rows = this.#rows && graph.input(this.#rows.values, this.#rows.shape);
    for (let at = this.#next; at < end; at++) {
      if (at === 0) rows = this.#encoder.begin(graph, this.#input);
      else if (!rows) throw new Error('It is encoded from its beginning.');
      else if (at <= blocks) rows = this.#encoder.block(graph, at - 1, rows, this.#input);
      else
        rows = this.#encoder.end(
          graph,
          rows,
          tapped.map(tapOf).filter((tap) => tap !== undefined),
          this.#input,
        );
      if (at > 0 && at <= blocks && tapped.includes(at - 1)) taps.push({ index: at - 1, tensor: rows });
    }
    if (!rows) throw new Error('An encoder has a beginning.');
    const kept = end === this.#parts ? [] : taps;
    const computation = this.#compute.begin(graph, [rows, ...kept.map(({ tensor }) => tensor)]);
    return { graph, computation, end, rows, taps: kept };
  }

  #keep({ computation, end, rows, taps }: Stretch, cost: number): void {
    const [values = new Float32Array(), ...tapped] = computation.values();
    this.#rows = { values, shape: rows.shape };
    for (const [place, { index, tensor }] of taps.entries()) {
      this.#taps.set(index, { values: tapped[place] ?? new Float32Array(), shape: tensor.shape });
    }
    this.#costOfPart = cost / (end - this.#next);
    this.#next = end;
    this.free();
  }
}

/** What is computed from one graph: some parts, one behind another. */
interface Stretch {
  readonly graph: Graph;
  readonly computation: Computation;
  /** The part behind the last. */
  readonly end: number;
  readonly rows: Tensor;
  readonly taps: readonly Tap[];
}

interface Tap {
  readonly index: number;
  readonly tensor: Tensor;
}

interface Values {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}
