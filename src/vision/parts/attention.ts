import type { Graph, Tensor } from '../../native/graph.ts';
import { tensorTypes } from '../../native/tensors.ts';
import type { Weights } from '../weights.ts';
import { linear, norm } from './layers.ts';
import type { Transformer } from './shape.ts';

export interface AttentionOptions {
  /** Turns queries and keys [head, heads, rows] by their places. */
  readonly place?: (graph: Graph, tensor: Tensor) => Tensor;
  /** Who sees whom, [rows, rows]: 0 or minus infinity. */
  readonly mask?: Tensor | undefined;
}

interface Heads {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/** Attention of all rows to all rows, unless a mask says otherwise. */
export function attend(
  graph: Graph,
  weights: Weights,
  shape: Transformer,
  name: string,
  rows: Tensor,
  { place, mask }: AttentionOptions,
): Tensor {
  const heads = headsOf(graph, weights, shape, name, rows);
  const turned = place ? { ...heads, q: place(graph, heads.q), k: place(graph, heads.k) } : heads;
  const scale = Math.fround(1 / Math.sqrt(shape.headSize));
  const { compute } = weights;
  const attention = compute.hasFlashAttention(shape.headSize, shape.heads)
    ? quickly(graph, turned, mask, scale)
    : inFull(graph, turned, mask, scale);
  return linear(graph, weights, `${name}.attn_out`, attention);
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

/** With keys and values in half precision, as llama.cpp does it. */
function quickly(graph: Graph, { q, k, v }: Heads, mask: Tensor | undefined, scale: number): Tensor {
  const half = (tensor: Tensor) => graph.cast(turn(graph, tensor), tensorTypes.f16);
  const seen = mask && graph.cast(mask, tensorTypes.f16);
  const attention = graph.flashAttention(turn(graph, q), half(k), half(v), seen, scale);
  const [head, heads, rows] = attention.shape;
  return graph.reshape(attention, [head * heads, rows]);
}

function inFull(graph: Graph, { q, k, v }: Heads, mask: Tensor | undefined, scale: number): Tensor {
  const values = graph.pack(graph.permute(v, [1, 2, 0, 3]));
  const scores = graph.multiply(turn(graph, k), turn(graph, q));
  const attention = graph.permute(graph.multiply(values, graph.softMax(scores, mask, scale)), [0, 2, 1, 3]);
  const [head, heads, rows] = attention.shape;
  return graph.pack(attention, [head * heads, rows]);
}

/** [head, heads, rows] -> [head, rows, heads]. */
function turn(graph: Graph, tensor: Tensor): Tensor {
  return graph.permute(tensor, [0, 2, 1, 3]);
}
