import { entry, type RawEntry } from '../../scripts/bench/gguf.ts';
import { tinyWidth } from './tiny-models.ts';
import type { TinyFamily, TinyWeight } from './tiny-projectors.ts';

/** No power of two: llama.cpp stacks rows by arithmetic on bits, which goes wrong for widths that are. */
const width = 40;
const heads = 2;
const inner = 48;
const blocks = 2;
const bands = 16;
const channels = 6;
/** Places of half a minute. */
const places = 1500;

const stackFact = (count: number) => entry('clip.audio.projector.stack_factor', 'uint32', count);

function factsOf(...more: RawEntry[]): RawEntry[] {
  const at = 'clip.audio.';
  return [
    entry(`${at}num_mel_bins`, 'uint32', bands),
    entry(`${at}embedding_length`, 'uint32', width),
    entry(`${at}feed_forward_length`, 'uint32', inner),
    entry(`${at}block_count`, 'uint32', blocks),
    entry(`${at}attention.head_count`, 'uint32', heads),
    entry(`${at}attention.layer_norm_epsilon`, 'float32', 1e-5),
    ...more,
  ];
}

function matrix(name: string, inputs: number, outputs: number): TinyWeight {
  return { name: `${name}.weight`, shape: [inputs, outputs], mean: 0, deviation: 1 / Math.sqrt(inputs) };
}

function bias(name: string, shape: readonly number[]): TinyWeight {
  return { name: `${name}.bias`, shape, mean: 0, deviation: 0.2 };
}

function linear(name: string, inputs: number, outputs: number): TinyWeight[] {
  return [matrix(name, inputs, outputs), bias(name, [outputs])];
}

function rmsNorm(name: string, size: number): TinyWeight {
  return { name: `${name}.weight`, shape: [size], mean: 1, deviation: 0.2 };
}

function layerNorm(name: string): TinyWeight[] {
  return [rmsNorm(name, width), bias(name, [width])];
}

/** Over pictures of one second. */
function convolution2d(number: 1 | 2 | 3, inputs: number): TinyWeight[] {
  const name = `a.conv2d.${number}`;
  const shape = [3, 3, inputs, channels];
  const kernel = { name: `${name}.weight`, shape, mean: 0, deviation: 1 / Math.sqrt(9 * inputs) };
  return [kernel, bias(name, [1, 1, channels])];
}

function convolution(number: 1 | 2, inputs: number): TinyWeight[] {
  const name = `a.conv1d.${number}`;
  const kernel = { name: `${name}.weight`, shape: [3, inputs, width], mean: 0, deviation: 1 / Math.sqrt(3 * inputs) };
  return [kernel, bias(name, [1, width])];
}

/** Keys have no bias. */
function block(index: number): TinyWeight[] {
  const at = `a.blk.${index}`;
  return [
    ...layerNorm(`${at}.ln1`),
    ...linear(`${at}.attn_q`, width, width),
    matrix(`${at}.attn_k`, width, width),
    ...linear(`${at}.attn_v`, width, width),
    ...linear(`${at}.attn_out`, width, width),
    ...layerNorm(`${at}.ln2`),
    ...linear(`${at}.ffn_up`, width, inner),
    ...linear(`${at}.ffn_down`, inner, width),
  ];
}

const transformer = [
  { name: 'a.position_embd.weight', shape: [width, places], mean: 0, deviation: 0.5 },
  ...Array.from({ length: blocks }, (_, index) => block(index)).flat(),
  ...layerNorm('a.post_ln'),
];

const whisper = [...convolution(1, bands), ...convolution(2, width), ...transformer];

/** For a model of this width. */
export function ultravoxFor(rowWidth: number): TinyFamily {
  return {
    kind: 'ultravox',
    text: 'llama',
    facts: factsOf(stackFact(8)),
    weights: [
      ...whisper,
      rmsNorm('mm.a.norm_pre', 8 * width),
      matrix('mm.a.mlp.1', 8 * width, 2 * inner),
      rmsNorm('mm.a.norm_mid', inner),
      matrix('mm.a.mlp.2', inner, rowWidth),
    ],
  };
}

/** Each kind of projector that hears, with all that its files may have. */
export const tinyEars = {
  ultravox: ultravoxFor(tinyWidth),
  qwen2a: {
    kind: 'qwen2a',
    text: 'llama',
    facts: factsOf(),
    weights: [...whisper, ...linear('mm.a.fc', width, tinyWidth)],
  },
  /** Qwen2.5-Omni's: its model counts places in three dimensions. */
  'qwen2.5o': {
    kind: 'qwen2.5o',
    text: 'qwen2vl',
    facts: factsOf(),
    weights: [...whisper, ...linear('mm.a.fc', width, tinyWidth)],
  },
  voxtral: {
    kind: 'voxtral',
    text: 'llama',
    facts: factsOf(stackFact(4)),
    weights: [...whisper, matrix('mm.a.mlp.1', 4 * width, inner), matrix('mm.a.mlp.2', inner, tinyWidth)],
  },
  qwen3a: {
    kind: 'qwen3a',
    text: 'llama',
    facts: factsOf(),
    weights: [
      ...convolution2d(1, 1),
      ...convolution2d(2, channels),
      ...convolution2d(3, channels),
      matrix('a.conv_out', (bands / 8) * channels, width),
      ...transformer,
      ...linear('mm.a.mlp.1', width, inner),
      ...linear('mm.a.mlp.2', inner, tinyWidth),
    ],
  },
} as const satisfies Record<string, TinyFamily>;
