import { afterAll, describe, expect, it } from 'vitest';
import { Compute } from '../../src/native/compute.ts';
import { Graph, type Tensor } from '../../src/native/graph.ts';
import { Interrupt } from '../../src/native/interrupt.ts';
import { tensorTypes } from '../../src/native/tensors.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { library } from '../support/native.ts';
import { Random } from '../support/random.ts';

const pools = new ThreadPools(library, {});
const interrupt = Interrupt.create(library);
const compute = Compute.create(library, { gpu: false, pools, interrupt, clock: () => 0 });
compute.useThreads(1);
afterAll(() => {
  compute.free();
  pools.free();
  interrupt.free();
});

const random = new Random(7);
const numbers = (length: number) => Float32Array.from({ length }, () => random.next() * 2 - 1);
const [head, heads, rows, width] = [32, 4, 200, 128];
const image = numbers(width * rows);
const matrix = numbers(width * 96);
const turn = (graph: Graph, tensor: Tensor) => graph.permute(tensor, [0, 2, 1, 3]);

const graphs: Record<string, (graph: Graph) => Tensor> = {
  'a product': (graph) => graph.multiply(graph.input(matrix, [width, 96]), graph.input(image, [width, rows])),
  'a product in half precision': (graph) =>
    graph.multiply(graph.cast(graph.input(matrix, [width, 96]), tensorTypes.f16), graph.input(image, [width, rows])),
  'attention in full': (graph) => {
    const all = graph.input(image, [head, heads, rows]);
    const scores = graph.softMax(graph.multiply(turn(graph, all), turn(graph, all)), undefined, 0.3);
    return graph.pack(graph.multiply(graph.pack(graph.permute(all, [1, 2, 0, 3])), scores));
  },
  'attention whose heads share keys': (graph) => {
    const all = graph.input(image, [head, heads, rows]);
    const keys = graph.input(image.subarray(0, (head * heads * rows) / 2), [head, heads / 2, rows]);
    return graph.multiply(turn(graph, keys), turn(graph, all));
  },
  'attention in windows': (graph) => {
    const all = graph.input(image, [head, heads, rows / 2, 2]);
    return graph.softMax(graph.multiply(turn(graph, all), turn(graph, all)), undefined, 0.3);
  },
  'flash attention': (graph) => {
    const all = graph.input(image, [head, heads, rows]);
    const half = graph.cast(turn(graph, all), tensorTypes.f16);
    return graph.flashAttention(turn(graph, all), half, half, undefined, 0.3);
  },
  'flash attention in windows': (graph) => {
    const all = graph.input(image, [head, heads, rows / 2, 2]);
    const half = graph.cast(turn(graph, all), tensorTypes.f16);
    return graph.flashAttention(turn(graph, all), half, half, undefined, 0.3);
  },
  'layers with norms and gates': (graph) => {
    const all = graph.input(image, [width, rows]);
    const normed = graph.times(graph.norm('rms', all, 1e-6), graph.input(image.subarray(0, width), [width]));
    const up = graph.multiply(graph.input(matrix, [width, 96]), normed);
    return graph.activate('gelu', graph.gated('silu', up, graph.add(up, up)));
  },
};

describe.each(Object.entries(graphs))('%s', (_, describeGraph) => {
  /** The costs of all pieces, and the values. */
  const inPieces = (limit: number) => {
    const graph = new Graph(library, 64);
    try {
      const computation = compute.begin(graph, [describeGraph(graph)]);
      const costs: number[] = [];
      while (!computation.done) costs.push(computation.advance(limit) ?? Number.NaN);
      return { costs, bytes: Buffer.concat(computation.values().map(({ buffer }) => new Uint8Array(buffer))) };
    } finally {
      graph.free();
    }
  };
  const whole = inPieces(Number.POSITIVE_INFINITY);
  const total = whole.costs[0] ?? 0;

  it.each([2, 5, 40])('has the same values to the last bit in %d pieces or more', (pieces) => {
    const { costs, bytes } = inPieces(total / pieces);
    expect(bytes.equals(whole.bytes)).toBe(true);
    expect(costs.reduce((sum, cost) => sum + cost)).toBeCloseTo(total, 0);
  });
});

it('a large product takes no more at once than it may, and few rows at least', () => {
  const cost = (pieces: number) => {
    const graph = new Graph(library, 64);
    const product = graph.multiply(graph.input(matrix, [width, 96]), graph.input(image, [width, rows]));
    const computation = compute.begin(graph, [product]);
    const costs: number[] = [];
    while (!computation.done) costs.push((computation.advance((width * 96 * rows) / pieces) ?? 0) / (width * 96));
    graph.free();
    return costs;
  };
  expect(cost(4)).toEqual([48, 48, 48, 56]);
  expect(cost(1000)).toEqual([...Array(11).fill(16), 24]);
});

it('what was interrupted is lost, and says so', () => {
  const graph = new Graph(library, 64);
  const all = graph.input(image, [width, rows]);
  const computation = compute.begin(graph, [graph.add(graph.add(all, all), all)]);
  interrupt.raise();
  expect(computation.advance(1)).toBeUndefined();
  interrupt.clear();
  expect(() => computation.advance(1)).toThrow('interrupted');
  expect(() => computation.values()).toThrow('not computed');
  graph.free();
});
