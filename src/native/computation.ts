import type { Graph } from './graph.ts';
import { GraphNode } from './graph-node.ts';
import type { Pointer } from './pointer.ts';
import { countOf, type Tensor, Tensors } from './tensors.ts';

/** ggml_status. */
const statuses = { done: 0, interrupted: 1 } as const;
/** Operations of one piece. */
const mostNodes = 2048;

/** How the parts of a graph are computed. Gives a ggml_status. */
export interface Calculator {
  /** All of it. */
  readonly whole: (graph: Pointer) => number;
  /** A graph of some of its operations, whose values lie where the whole one's do. undefined: it cannot be cut. */
  readonly part: ((graph: Pointer) => number) | undefined;
}

/** A graph that has its memory and its inputs, and is computed at once or in pieces. */
export class Computation {
  readonly #graph: Graph;
  readonly #wanted: readonly Tensor[];
  readonly #calculator: Calculator;
  readonly #nodes: readonly GraphNode[];
  /** The next operation, and how many of its rows there are already. */
  #next = 0;
  #rows = 0;
  #isLost = false;

  constructor(graph: Graph, wanted: readonly Tensor[], calculator: Calculator) {
    const { functions } = graph.library;
    this.#graph = graph;
    this.#wanted = wanted;
    this.#calculator = calculator;
    this.#nodes = Array.from(
      { length: functions.ggml_graph_n_nodes(graph.pointer) },
      (_, at) => new GraphNode(graph.library, functions.ggml_graph_node(graph.pointer, at)),
    );
  }

  get done(): boolean {
    return this.#next === this.#nodes.length;
  }

  /**
   * Computes what takes about `limit` multiplications, or the least that can be computed; gives how many they were.
   * undefined: it was interrupted, and its values are lost.
   */
  advance(limit: number): number | undefined {
    if (this.#isLost) throw new Error('The computation was interrupted.');
    const isWhole = limit === Number.POSITIVE_INFINITY && this.#next === 0 && this.#rows === 0;
    const { part } = this.#calculator;
    const cost = isWhole || !part ? this.#computeAll() : this.#computePart(limit, part);
    this.#isLost = cost === undefined;
    return cost;
  }

  /** Of the tensors that were asked for, once it is done. */
  values(): Float32Array[] {
    if (!this.done || this.#isLost) throw new Error('The graph is not computed.');
    return this.#wanted.map((tensor) => {
      const values = new Float32Array(countOf(tensor.shape));
      this.#graph.library.functions.ggml_backend_tensor_get(tensor.pointer, values, 0, values.byteLength);
      return values;
    });
  }

  #computeAll(): number | undefined {
    if (!isDone(this.#calculator.whole(this.#graph.pointer))) return undefined;
    this.#next = this.#nodes.length;
    return this.#nodes.reduce((sum, { cost }) => sum + cost, 0);
  }

  #computePart(limit: number, compute: (graph: Pointer) => number): number | undefined {
    const { library } = this.#graph;
    const { functions } = library;
    const space = new Tensors(library, mostNodes);
    try {
      const piece = functions.ggml_new_graph_custom(space.pointer, mostNodes, false);
      const cost = this.#take(limit, space, (node) => functions.ggml_graph_add_node(piece, node));
      return isDone(compute(piece)) ? cost : undefined;
    } finally {
      space.free();
    }
  }

  /** The next operations within the limit, the last of them in part. */
  #take(limit: number, space: Tensors, add: (node: Pointer) => void): number {
    let [taken, cost] = [0, 0];
    for (let node = this.#nodes[this.#next]; node && taken < mostSlices; node = this.#nodes[this.#next], taken++) {
      const { rows } = node;
      const perRow = node.cost / rows;
      const wanted = Math.floor((limit - cost) / perRow);
      const left = rows - this.#rows;
      const isWhole = this.#rows === 0 && (rows === 1 || wanted >= left);
      const count = isWhole ? left : node.sliceOf(this.#rows, wanted);
      if (cost > 0 && cost + count * perRow > limit) break;
      add(isWhole ? node.pointer : node.slice(space, this.#rows, count));
      cost += count * perRow;
      this.#rows += count;
      if (this.#rows < rows) continue;
      this.#rows = 0;
      this.#next++;
    }
    return cost;
  }
}

/** A slice takes up to four tensors of the piece's space. */
const mostSlices = mostNodes / 4;

function isDone(status: number): boolean {
  if (status === statuses.interrupted) return false;
  if (status !== statuses.done) throw new Error(`A graph could not be computed (${status}).`);
  return true;
}
