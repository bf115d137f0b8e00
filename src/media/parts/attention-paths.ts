import type { Compute } from '../../native/compute.ts';
import { Graph, type Tensor } from '../../native/graph.ts';
import { tensorTypes } from '../../native/tensors.ts';
import type { Transformer } from './shape.ts';

/** [head, heads, rows, windows] each. */
export interface Heads {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/** Gives [head * heads, rows * windows]. */
export type Attention = (graph: Graph, heads: Heads, scale: number) => Tensor;

type Shape = Pick<Transformer, 'headSize' | 'heads'>;

/** What was found to be quicker on a device, by the heads' shape. */
const found = new WeakMap<Compute, Map<string, Attention>>();

/**
 * As it is asked for, or as is quicker. GPUs are made for flash attention; on a processor that hangs on its vectors and
 * the head's size, so it is measured with the first image, which takes some 50 ms.
 */
export function attentionBy(compute: Compute, { headSize, heads }: Shape): Attention {
  if (compute.flashAttention === false || !compute.hasFlashAttention(headSize, heads)) return inFull;
  if (compute.flashAttention || compute.onGpu || !compute.isReady) return quickly;
  const known = found.get(compute) ?? new Map<string, Attention>();
  found.set(compute, known);
  const shape = `${headSize} ${heads}`;
  const attention = known.get(shape) ?? quicker([inFull, quickly], compute, { headSize, heads });
  known.set(shape, attention);
  return attention;
}

const tried = { queries: 64, keys: 512, rounds: 3 } as const;

/** The first round is there to find everything in its place. */
function quicker(ways: readonly [Attention, Attention], compute: Compute, { headSize, heads }: Shape): Attention {
  const values = (rows: number) => new Float32Array(headSize * heads * rows).fill(1 / headSize);
  const [queries, keys] = [values(tried.queries), values(tried.keys)];
  const timed = (way: Attention) => {
    const graph = new Graph(compute.library, 64);
    try {
      const input = (all: Float32Array, rows: number) => graph.input(all, [headSize, heads, rows]);
      const [q, k, v] = [input(queries, tried.queries), input(keys, tried.keys), input(keys, tried.keys)];
      const computation = compute.begin(graph, [way(graph, { q, k, v }, 1)]);
      const startedAt = compute.clock();
      computation.advance(Number.POSITIVE_INFINITY);
      return compute.clock() - startedAt;
    } finally {
      graph.free();
    }
  };
  const rounds = Array.from({ length: tried.rounds }, () => ways.map(timed)).slice(1);
  const best = ways.map((_, at) => Math.min(...rounds.map((times) => times[at] ?? Number.NaN)));
  const [first, second] = ways;
  return (best[0] ?? 0) <= (best[1] ?? 0) ? first : second;
}

/** With keys and values in half precision, as llama.cpp does it. */
function quickly(graph: Graph, { q, k, v }: Heads, scale: number): Tensor {
  const half = (tensor: Tensor) => graph.cast(turn(graph, tensor), tensorTypes.f16);
  const attention = graph.flashAttention(turn(graph, q), half(k), half(v), undefined, scale);
  const [head, heads, rows, windows] = attention.shape;
  return graph.reshape(attention, [head * heads, rows * windows]);
}

/** Scores that are held at once, 128 MB of them: those of all rows would be 17 GB for the largest images. */
const mostScores = 2 ** 25;
/** However many that makes for each. */
const mostParts = 32;

/** With all scores, for so many queries at a time as they have room. */
function inFull(graph: Graph, { q, k, v }: Heads, scale: number): Tensor {
  const values = graph.pack(graph.permute(v, [1, 2, 0, 3]));
  const keys = turn(graph, k);
  const seen = (queries: Tensor) => {
    const scores = graph.multiply(keys, turn(graph, queries));
    const attention = graph.permute(graph.multiply(values, graph.softMax(scores, undefined, scale)), [0, 2, 1, 3]);
    const [head, heads, rows, windows] = attention.shape;
    return graph.pack(attention, [head * heads, rows * windows]);
  };
  const [head, heads, rows, windows] = q.shape;
  const parts = Math.min(mostParts, Math.ceil((heads * rows * k.shape[2] * windows) / mostScores));
  if (parts === 1 || windows > 1) return seen(q);
  const all = graph.reshape(q, [head * heads, rows]);
  const each = Math.ceil(rows / parts);
  const answers = Array.from({ length: Math.ceil(rows / each) }, (_, at) => {
    const count = Math.min(each, rows - at * each);
    return seen(graph.reshape(graph.part(all, at * each, count), [head, heads, count]));
  });
  return joined(graph, answers);
}

/** One behind the other. Each is moved only a few times. */
function joined(graph: Graph, parts: readonly Tensor[]): Tensor {
  const [first, ...others] = parts;
  if (!first) throw new RangeError('There is nothing to be joined.');
  if (others.length === 0) return first;
  const half = Math.ceil(parts.length / 2);
  return graph.concat(joined(graph, parts.slice(0, half)), joined(graph, parts.slice(half)), 1);
}

/** [head, heads, rows, windows] -> [head, rows, heads, windows]. */
function turn(graph: Graph, tensor: Tensor): Tensor {
  return graph.permute(tensor, [0, 2, 1, 3]);
}
