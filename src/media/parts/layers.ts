import type { Graph, Tensor } from '../../native/graph.ts';
import type { Weights } from '../weights.ts';

export type Activation = 'gelu' | 'gelu_quick' | 'gelu_erf' | 'silu';

/** `name.weight` times the rows, and `name.bias` where there is one. */
export function linear(graph: Graph, weights: Weights, name: string, rows: Tensor): Tensor {
  const product = graph.multiply(weights.get(`${name}.weight`), rows);
  const bias = weights.find(`${name}.bias`);
  return bias ? graph.add(product, bias) : product;
}

export function norm(
  graph: Graph,
  rows: Tensor,
  weights: Weights,
  name: string,
  { kind, epsilon }: { readonly kind: 'layer' | 'rms'; readonly epsilon: number },
): Tensor {
  const scaled = graph.times(graph.norm(kind, rows, epsilon), weights.get(`${name}.weight`));
  const bias = weights.find(`${name}.bias`);
  return bias ? graph.add(scaled, bias) : scaled;
}

/** Up, activated (times a gate where there is one), down. */
export function feedForward(
  graph: Graph,
  weights: Weights,
  name: string,
  rows: Tensor,
  activation: Activation,
): Tensor {
  // Early converters wrote the two under each other's name.
  const swapped = weights.get(`${name}_up.weight`).shape[0] !== rows.shape[0];
  const [first, last] = swapped ? ['_down', '_up'] : ['_up', '_down'];
  const up = linear(graph, weights, name + first, rows);
  const gate = weights.find(`${name}_gate.weight`) && linear(graph, weights, `${name}_gate`, rows);
  const inner = gate ? graph.gated(activation, gate, up) : graph.activate(activation, up);
  return linear(graph, weights, name + last, inner);
}

/** Two layers with an activation between them, as most projectors end. */
export function twoLayers(
  graph: Graph,
  weights: Weights,
  [first, second]: readonly [string, string],
  rows: Tensor,
  activation: Activation = 'gelu',
): Tensor {
  const inner = graph.activate(activation, linear(graph, weights, first, rows));
  return linear(graph, weights, second, inner);
}
