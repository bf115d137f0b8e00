import type { Graph, Tensor } from '../../native/graph.ts';
import { type Colour, channels, type Pixels, planes } from '../pixels.ts';
import type { Hyperparameters, Sense } from '../projector-file.ts';
import type { Weights } from '../weights.ts';
import { type Activation, norm } from './layers.ts';

/** What all transformers here have in common. */
export interface Transformer {
  /** Their tensors' names begin with it: those of images, those of sounds. */
  readonly sense: Sense;
  readonly width: number;
  readonly heads: number;
  readonly headSize: number;
  readonly blocks: number;
  readonly epsilon: number;
  readonly activation: Activation;
  readonly normKind: 'layer' | 'rms';
  /** By the weights of this name; without any, the rows as they are. */
  norm(graph: Graph, rows: Tensor, weights: Weights, name: string): Tensor;
}

const prefixes = { v: 'clip.vision.', a: 'clip.audio.' } as const satisfies Record<Sense, string>;

/** One that sees. */
export interface VisionTransformer extends Transformer {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly mean: Colour;
  readonly deviation: Colour;
}

interface OwnShape {
  readonly normKind?: 'layer' | 'rms';
  readonly activation?: Activation;
}

export function visionTransformerOf(given: Hyperparameters, own: OwnShape = {}): VisionTransformer {
  const prefix = prefixes.v;
  const shape = transformerOf(given, 'v', own);
  const patchSize = given.count(`${prefix}patch_size`);
  const kernel = given.shape('v.patch_embd.weight');
  if (kernel[0] !== patchSize || kernel[1] !== patchSize || kernel[2] !== channels || kernel[3] !== shape.width) {
    throw given.odd(`its patches are ${kernel.join(' x ')}`);
  }
  return {
    ...shape,
    imageSize: given.count(`${prefix}image_size`),
    patchSize,
    mean: given.colour(`${prefix}image_mean`),
    deviation: given.colour(`${prefix}image_std`),
  };
}

export function transformerOf(given: Hyperparameters, sense: Sense, own: OwnShape = {}): Transformer {
  const prefix = prefixes[sense];
  const { normKind = 'layer' } = own;
  const epsilon = given.number(`${prefix}attention.layer_norm_epsilon`);
  const width = given.count(`${prefix}embedding_length`);
  const heads = given.count(`${prefix}attention.head_count`);
  if (width % heads !== 0) throw given.odd(`${heads} heads do not share ${width} values`);
  return {
    sense,
    width,
    heads,
    headSize: given.count(`${prefix}attention.head_dim`, width / heads),
    blocks: given.count(`${prefix}block_count`),
    epsilon,
    activation: own.activation ?? activationOf(given),
    normKind,
    norm(graph, rows, weights, name) {
      const weight = weights.find(`${name}.weight`);
      return weight ? norm(graph, rows, weights, name, { kind: normKind, epsilon }) : rows;
    },
  };
}

function activationOf(given: Hyperparameters): Activation {
  if (given.flag('clip.use_gelu')) return 'gelu';
  return given.flag('clip.use_silu') ? 'silu' : 'gelu_quick';
}

/** The image in squares, each a row [width, patches], line by line. */
export function patchRows(
  graph: Graph,
  weights: Weights,
  shape: VisionTransformer,
  tile: Pixels,
  kernel?: Tensor,
): Tensor {
  const { width, height } = tile;
  const image = graph.input(planes(tile, shape.mean, shape.deviation), [width, height, channels]);
  const patches = graph.patches(kernel ?? weights.get('v.patch_embd.weight'), image);
  const [columns, lines] = patches.shape;
  const rows = graph.pack(graph.transpose(graph.reshape(patches, [columns * lines, shape.width])));
  const bias = weights.find('v.patch_embd.bias');
  return bias ? graph.add(rows, bias) : rows;
}
