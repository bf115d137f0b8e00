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

const fused = (at: string) => linear(`${at}.attn_qkv`, width, 3 * width);

function scaled(at: string): TinyWeight[] {
  const scale = (name: string) => vector(`${at}.${name}.weight`, width, 1);
  const norms = ['attn_q_norm', 'attn_k_norm'].map((name) => rmsNorm(`${at}.${name}`));
  return [...layerNormed(at), ...norms, scale('ls1'), scale('ls2')];
}

function places(count: number): TinyWeight {
  return { name: 'v.position_embd.weight', shape: [width, count], mean: 0, deviation: 0.5 };
}

const llava = { image: 64, patch: 16, blocks: 3, epsilon: 1e-5 };
const qwen = { image: 64, patch: 8, blocks: 2 };
const gemma = { image: 128, patch: 8, blocks: 2, activation: 'gelu' } as const;
const tiles = { image: 64, patch: 8, blocks: 2, activation: 'gelu' } as const;
const pixtral = { image: 64, patch: 8, blocks: 2, epsilon: 1e-5, activation: 'silu' } as const;
const lfm = { image: 64, patch: 16, blocks: 2, activation: 'gelu' } as const;

const mergeFact = (side: number) => entry('clip.vision.projector.scale_factor', 'uint32', side);
const biased = (encoder: Encoder) => [kernel(encoder.patch), vector('v.patch_embd.bias', width, 0)];

const idefics = [
  ...biased(tiles),
  places(64),
  ...blocksOf(tiles.blocks, layerNormed),
  ...layerNorm('v.post_ln'),
  matrix('mm.model.fc', merged, tinyWidth),
];

const pixtralEncoder = [
  kernel(pixtral.patch),
  rmsNorm('v.pre_ln'),
  ...blocksOf(pixtral.blocks, rmsNormed),
  ...linear('mm.1', width, tinyWidth),
  ...linear('mm.2', tinyWidth, tinyWidth),
  vector('v.token_embd.img_break', tinyWidth, 0),
];

/** For a model of this width. */
export function llavaFor(rowWidth: number): TinyFamily {
  return {
    kind: 'mlp',
    text: 'llama',
    facts: factsOf(llava),
    weights: [
      vector('v.class_embd', width, 0),
      kernel(llava.patch),
      places(17),
      ...layerNorm('v.pre_ln'),
      ...blocksOf(llava.blocks, layerNormed),
      ...linear('mm.0', width, rowWidth),
      ...linear('mm.2', rowWidth, rowWidth),
    ],
  };
}

/** Each kind of projector with all that its files may have. */
export const tinyFamilies = {
  llava: llavaFor(tinyWidth),
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
  qwen3vl: {
    kind: 'qwen3vl_merger',
    text: 'qwen3vl',
    facts: factsOf({ ...qwen, blocks: 3, activation: 'gelu' }),
    weights: [
      ...twoKernels(qwen.patch),
      vector('v.patch_embd.bias', width, 0),
      places(64),
      ...blocksOf(3, (at) => layerNormed(at, fused(at))),
      ...[0, 2].flatMap((block) => [
        ...layerNorm(`v.deepstack.${block}.norm`, merged),
        ...linear(`v.deepstack.${block}.fc1`, merged, merged),
        ...linear(`v.deepstack.${block}.fc2`, merged, tinyWidth),
      ]),
      ...layerNorm('v.post_ln'),
      ...linear('mm.0', merged, merged),
      ...linear('mm.2', merged, tinyWidth),
    ],
  },
  gemma3: {
    kind: 'gemma3',
    text: 'gemma3',
    facts: factsOf(gemma),
    weights: [
      ...biased(gemma),
      places(256),
      ...blocksOf(gemma.blocks, layerNormed),
      ...layerNorm('v.post_ln'),
      rmsNorm('mm.soft_emb_norm'),
      { name: 'mm.input_projection.weight', shape: [tinyWidth, width], mean: 0, deviation: 0.2 },
    ],
  },
  idefics3: {
    kind: 'idefics3',
    text: 'llama',
    facts: factsOf(tiles, mergeFact(2), entry('clip.vision.preproc_image_size', 'uint32', 256)),
    weights: idefics,
  },
  'idefics3-without-size': { kind: 'idefics3', text: 'llama', facts: factsOf(tiles, mergeFact(2)), weights: idefics },
  internvl: {
    kind: 'internvl',
    text: 'llama',
    facts: factsOf(tiles, mergeFact(2)),
    weights: [
      vector('v.class_embd', width, 0),
      ...biased(tiles),
      places(65),
      ...blocksOf(tiles.blocks, scaled),
      ...layerNorm('mm.model.mlp.0', merged),
      ...linear('mm.model.mlp.1', merged, tinyWidth),
      ...linear('mm.model.mlp.3', tinyWidth, tinyWidth),
    ],
  },
  pixtral: { kind: 'pixtral', text: 'llama', facts: factsOf(pixtral), weights: pixtralEncoder },
  'mistral-small': {
    kind: 'pixtral',
    text: 'llama',
    facts: factsOf(pixtral, entry('clip.vision.spatial_merge_size', 'uint32', 2)),
    weights: [...pixtralEncoder, rmsNorm('mm.input_norm'), matrix('mm.patch_merger', merged, width)],
  },
  lfm2: {
    kind: 'lfm2',
    text: 'lfm2',
    facts: factsOf(lfm, mergeFact(2)),
    weights: [
      ...biased(lfm),
      places(256),
      ...blocksOf(lfm.blocks, layerNormed),
      ...layerNorm('v.post_ln'),
      ...layerNorm('mm.input_norm', merged),
      ...linear('mm.1', merged, tinyWidth),
      ...linear('mm.2', tinyWidth, tinyWidth),
    ],
  },
  glm4v: {
    kind: 'glm4v',
    text: 'glm4',
    facts: factsOf({ ...qwen, activation: 'silu' }),
    weights: [
      ...twoKernels(qwen.patch),
      vector('v.patch_embd.bias', width, 0),
      rmsNorm('v.norm_embd'),
      places(64),
      ...blocksOf(qwen.blocks, rmsNormed),
      rmsNorm('v.post_ln'),
      { name: 'mm.patch_merger.weight', shape: [2, 2, width, tinyWidth], mean: 0, deviation: 1 / Math.sqrt(merged) },
      vector('mm.patch_merger.bias', tinyWidth, 0),
      matrix('mm.model.fc', tinyWidth, tinyWidth),
      ...layerNorm('mm.post_norm', tinyWidth),
      matrix('mm.up', tinyWidth, inner),
      matrix('mm.gate', tinyWidth, inner),
      matrix('mm.down', inner, tinyWidth),
    ],
  },
} as const satisfies Record<string, TinyFamily>;
