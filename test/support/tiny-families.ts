import { entry, listEntry, type RawEntry } from '../../scripts/bench/gguf.ts';
import { tinyWidth } from './tiny-models.ts';
import type { TinyFamily, TinyWeight } from './tiny-projectors.ts';

const width = 32;
const heads = 2;
const inner = 48;

function matrix(name: string, inputs: number, outputs: number): TinyWeight {
  return { name: `${name}.weight`, shape: [inputs, outputs], mean: 0, deviation: 1 / Math.sqrt(inputs) };
}

function vector(name: string, size: number, mean: number): TinyWeight {
  return { name, shape: [size], mean, deviation: 0.2 };
}

function linear(name: string, inputs: number, outputs: number): TinyWeight[] {
  return [matrix(name, inputs, outputs), vector(`${name}.bias`, outputs, 0)];
}

function rmsNorm(name: string, size = width): TinyWeight {
  return vector(`${name}.weight`, size, 1);
}

function layerNorm(name: string, size = width): TinyWeight[] {
  return [rmsNorm(name, size), vector(`${name}.bias`, size, 0)];
}

interface Encoder {
  readonly image: number;
  readonly patch: number;
  readonly blocks: number;
  readonly epsilon?: number;
  readonly activation?: 'gelu' | 'silu';
}

function factsOf({ image, patch, blocks, epsilon = 1e-6, activation }: Encoder, ...more: RawEntry[]): RawEntry[] {
  const at = 'clip.vision.';
  return [
    entry(`${at}image_size`, 'uint32', image),
    entry(`${at}patch_size`, 'uint32', patch),
    entry(`${at}embedding_length`, 'uint32', width),
    entry(`${at}feed_forward_length`, 'uint32', inner),
    entry(`${at}block_count`, 'uint32', blocks),
    entry(`${at}attention.head_count`, 'uint32', heads),
    entry(`${at}attention.layer_norm_epsilon`, 'float32', epsilon),
    listEntry(`${at}image_mean`, 'float32', [0.48, 0.46, 0.41]),
    listEntry(`${at}image_std`, 'float32', [0.27, 0.26, 0.28]),
    ...(activation ? [entry(`clip.use_${activation}`, 'bool', true)] : []),
    ...more,
  ];
}

function kernel(patch: number, name = 'v.patch_embd.weight'): TinyWeight {
  const deviation = 1 / Math.sqrt(3 * patch * patch);
  return { name, shape: [patch, patch, 3, width], mean: 0, deviation };
}

function blocksOf(count: number, block: (name: string) => TinyWeight[]): TinyWeight[] {
  return Array.from({ length: count }, (_, index) => block(`v.blk.${index}`)).flat();
}

const separate = (at: string) =>
  ['attn_q', 'attn_k', 'attn_v'].flatMap((part) => linear(`${at}.${part}`, width, width));

function layerNormed(at: string, attention = separate(at)): TinyWeight[] {
  return [
    ...layerNorm(`${at}.ln1`),
    ...attention,
    ...linear(`${at}.attn_out`, width, width),
    ...layerNorm(`${at}.ln2`),
    ...linear(`${at}.ffn_up`, width, inner),
    ...linear(`${at}.ffn_down`, inner, width),
  ];
}

function rmsNormed(at: string): TinyWeight[] {
  return [
    rmsNorm(`${at}.ln1`),
    ...separate(at),
    ...linear(`${at}.attn_out`, width, width),
    rmsNorm(`${at}.ln2`),
    ...linear(`${at}.ffn_up`, width, inner),
    ...linear(`${at}.ffn_gate`, width, inner),
    ...linear(`${at}.ffn_down`, inner, width),
  ];
}

const twoKernels = (patch: number) => [kernel(patch), kernel(patch, 'v.patch_embd.weight.1')];
const merged = 4 * width;

const llava = { image: 64, patch: 16, blocks: 3, epsilon: 1e-5 };
const qwen = { image: 64, patch: 8, blocks: 2 };

/** Each kind of projector with all that its files may have. */
export const tinyFamilies = {
  llava: {
    kind: 'mlp',
    text: 'llama',
    facts: factsOf(llava),
    weights: [
      vector('v.class_embd', width, 0),
      kernel(llava.patch),
      { name: 'v.position_embd.weight', shape: [width, 17], mean: 0, deviation: 0.5 },
      ...layerNorm('v.pre_ln'),
      ...blocksOf(llava.blocks, layerNormed),
      ...linear('mm.0', width, tinyWidth),
      ...linear('mm.2', tinyWidth, tinyWidth),
    ],
  },
  qwen2vl: {
    kind: 'qwen2vl_merger',
    text: 'qwen2vl',
    facts: factsOf(qwen),
    weights: [
      ...twoKernels(qwen.patch),
      ...blocksOf(qwen.blocks, layerNormed),
      ...layerNorm('v.post_ln'),
      ...linear('mm.0', merged, merged),
      ...linear('mm.2', merged, tinyWidth),
    ],
  },
  'qwen2.5vl': {
    kind: 'qwen2.5vl_merger',
    text: 'qwen2vl',
    facts: factsOf({ ...qwen, blocks: 4, activation: 'silu' }, entry('clip.vision.n_wa_pattern', 'uint32', 2)),
    weights: [
      ...twoKernels(qwen.patch),
      ...blocksOf(4, rmsNormed),
      rmsNorm('v.post_ln'),
      ...linear('mm.0', merged, merged),
      ...linear('mm.2', merged, tinyWidth),
    ],
  },
} as const satisfies Record<string, TinyFamily>;
