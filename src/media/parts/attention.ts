import type { Graph, Tensor } from '../../native/graph.ts';
import type { Weights } from '../weights.ts';
import { type Attention, attentionBy, type Heads } from './attention-paths.ts';
import { linear, norm } from './layers.ts';
import type { Transformer } from './shape.ts';

export interface AttentionOptions {
  /** Turns queries and keys [head, heads, rows] by their places. */
  readonly place?: (graph: Graph, tensor: Tensor) => Tensor;
  /** Rows see those of their window only; together all of them. Without: all rows see all. */
  readonly windows?: readonly Windows[] | undefined;
}

/** `count` windows of `rows` rows each, one behind another. */
export interface Windows {
  readonly count: number;
  readonly rows: number;
}

/** Attention of rows to each other. */
export function attend(
  graph: Graph,
  weights: Weights,
  shape: Transformer,
  name: string,
  rows: Tensor,
  { place, windows }: AttentionOptions,
): Tensor {
  const heads = headsOf(graph, weights, shape, name, rows);
  const turned = place ? { ...heads, q: place(graph, heads.q), k: place(graph, heads.k) } : heads;
  const scale = Math.fround(1 / Math.sqrt(shape.headSize));
  const among = attentionBy(weights.compute, shape);
  const attention = windows ? within(graph, turned, windows, scale, among) : among(graph, turned, scale);
  return linear(graph, weights, `${name}.attn_out`, attention);
}

/** Windows of one size at once, as llama.cpp's mask would have it, without computing what it hides. */
function within(graph: Graph, heads: Heads, windows: readonly Windows[], scale: number, among: Attention): Tensor {
  let from = 0;
  let all: Tensor | undefined;
  for (const { count, rows } of windows) {
    const start = from;
    const part = (tensor: Tensor) => {
      const [head, number, total] = tensor.shape;
      const own = graph.part(graph.reshape(tensor, [head * number, total]), start, count * rows);
      return graph.reshape(own, [head, number, rows, count]);
    };
    const seen = among(graph, { q: part(heads.q), k: part(heads.k), v: part(heads.v) }, scale);
    all = all ? graph.concat(all, seen, 1) : seen;
    from += count * rows;
  }
  if (!all) throw new RangeError('Windows without rows.');
  return all;
}

/** [head, heads, rows] each; normed where the file has norms for them. */
function headsOf(graph: Graph, weights: Weights, shape: Transformer, name: string, rows: Tensor): Heads {
  const { headSize, heads, width } = shape;
  const count = rows.shape[1];
  const asHeads = (tensor: Tensor) => graph.reshape(tensor, [headSize, heads, count]);
  const normed = (tensor: Tensor, part: string) => {
    const weight = weights.find(`${name}.${part}.weight`);
    if (!weight) return asHeads(tensor);
    const how = { kind: shape.normKind, epsilon: shape.epsilon } as const;
    const ofEachHead = weight.shape[0] === headSize;
    const given = ofEachHead ? asHeads(tensor) : tensor;
    const done = norm(graph, given, weights, `${name}.${part}`, how);
    return ofEachHead ? done : asHeads(done);
  };
  if (!weights.find(`${name}.attn_qkv.weight`)) {
    const [q, k, v] = ['attn_q', 'attn_k', 'attn_v'].map((part) => linear(graph, weights, `${name}.${part}`, rows));
    if (!q || !k || !v) throw new Error('There are three of them.');
    return { q: normed(q, 'attn_q_norm'), k: normed(k, 'attn_k_norm'), v: asHeads(v) };
  }
  const all = linear(graph, weights, `${name}.attn_qkv`, rows);
  const part = (at: number) => graph.pack(graph.slice(all, at * width, width));
  return { q: normed(part(0), 'attn_q_norm'), k: normed(part(1), 'attn_k_norm'), v: asHeads(part(2)) };
}
