import { readFileSync } from 'node:fs';
import {
  entry,
  extended,
  listEntry,
  type RawEntry,
  readEntries,
  type Tensor,
  writeGguf,
} from '../../scripts/bench/gguf.ts';
import { demoModelPath } from './demo-engine.ts';
import { Random } from './random.ts';

/**
 * Models of random weights whose state cannot be cut at any point, with the demo model's vocabulary: a sliding window
 * (Gemma 3), a recurrent one (Mamba), and one that mixes recurrent layers with attention (LFM2). What they say means
 * nothing, but it depends on everything they have read. Names and shapes of tensors as llama.cpp's loader wants them.
 */
export const tinyArchitectures = ['gemma3', 'mamba', 'lfm2'] as const;
/** And one with experts, and those whose relatives see images. */
export type TinyArchitecture =
  | (typeof tinyArchitectures)[number]
  | 'qwen3moe'
  | 'llama'
  | 'qwen2vl'
  | 'qwen3vl'
  | 'glm4';

/** Tokens that a layer of the sliding-window model looks back. */
const tinyWindow = 32;

export const tinyWidth = 64;
const width = tinyWidth;
const inner = 128;
const heads = 2;
const headSize = 32;
const layers = 4;
const experts = 4;
const expertSize = 32;
/** How many pairs of a head turn with time, line and column. */
const tinySections = [4, 6, 6, 0] as const;
/** Layers of the first that get what an image's rows have for them. */
const tinyDeepLayers = 2;

interface Weight {
  readonly name: string;
  /** Fastest dimension first: [inputs, outputs]. */
  readonly shape: readonly number[];
  /** A number for all, or random ones of this deviation around 0. */
  readonly fill: number | { readonly deviation: number };
}

/** `marks`: control tokens besides the demo model's. */
export interface TinyVocabulary {
  readonly model?: string;
  readonly marks?: readonly string[];
}

export function writeTinyModel(path: string, architecture: TinyArchitecture, vocabulary: TinyVocabulary = {}): void {
  const demo = withMarks(readEntries(readFileSync(vocabulary.model ?? demoModelPath)), vocabulary.marks ?? []);
  const tokenizer = [...demo].filter(([key]) => key.startsWith('tokenizer.')).map(([, bytes]) => bytes);
  const random = new Random(20_260_101);
  const weights = [
    matrix('token_embd', width, vocabularySize(demo), 0.5),
    matrix('output', width, vocabularySize(demo), 0.5),
    ...architectures[architecture].weights,
    ...Array.from({ length: layers }, (_, index) => architectures[architecture].layer(index)).flat(),
  ];
  writeGguf(
    path,
    [entry('general.architecture', 'string', architecture), ...architectures[architecture].facts, ...tokenizer],
    weights.map((weight) => tensorOf(weight, random)),
  );
}

const architectures: Record<
  TinyArchitecture,
  { readonly facts: readonly RawEntry[]; readonly weights: readonly Weight[]; layer(index: number): Weight[] }
> = {
  gemma3: {
    facts: [
      ...attentionFacts('gemma3'),
      entry('gemma3.attention.head_count_kv', 'uint32', 1),
      entry('gemma3.attention.key_length', 'uint32', headSize),
      entry('gemma3.attention.value_length', 'uint32', headSize),
      entry('gemma3.attention.sliding_window', 'uint32', tinyWindow),
      entry('gemma3.attention.sliding_window_pattern', 'uint32', 2),
    ],
    weights: [ones('output_norm', width)],
    layer: (index) => [
      ...attention(index),
      ...feedForward(index),
      ones(`blk.${index}.post_attention_norm`, width),
      ones(`blk.${index}.post_ffw_norm`, width),
    ],
  },
  mamba: {
    facts: [
      ...commonFacts('mamba'),
      entry('mamba.attention.head_count', 'uint32', 0),
      entry('mamba.feed_forward_length', 'uint32', 0),
      entry('mamba.ssm.conv_kernel', 'uint32', 4),
      entry('mamba.ssm.inner_size', 'uint32', inner),
      entry('mamba.ssm.state_size', 'uint32', 16),
      entry('mamba.ssm.time_step_rank', 'uint32', 4),
    ],
    weights: [ones('output_norm', width)],
    layer: (index) => {
      const at = `blk.${index}`;
      return [
        ones(`${at}.attn_norm`, width),
        matrix(`${at}.ssm_in`, width, 2 * inner),
        matrix(`${at}.ssm_conv1d`, 4, inner),
        { name: `${at}.ssm_conv1d.bias`, shape: [inner], fill: 0 },
        matrix(`${at}.ssm_x`, inner, 4 + 2 * 16),
        matrix(`${at}.ssm_dt`, 4, inner),
        { name: `${at}.ssm_dt.bias`, shape: [inner], fill: -2 },
        { name: `${at}.ssm_a`, shape: [16, inner], fill: -0.5 },
        { name: `${at}.ssm_d`, shape: [inner], fill: 1 },
        matrix(`${at}.ssm_out`, inner, width),
      ];
    },
  },
  qwen3moe: {
    facts: [
      ...attentionFacts('qwen3moe'),
      entry('qwen3moe.attention.head_count_kv', 'uint32', 1),
      entry('qwen3moe.attention.key_length', 'uint32', headSize),
      entry('qwen3moe.attention.value_length', 'uint32', headSize),
      entry('qwen3moe.expert_count', 'uint32', experts),
      entry('qwen3moe.expert_used_count', 'uint32', 2),
      entry('qwen3moe.expert_feed_forward_length', 'uint32', expertSize),
    ],
    weights: [ones('output_norm', width)],
    layer: (index) => [...attention(index), ...expertsOf(index)],
  },
  llama: {
    facts: [...attentionFacts('llama'), entry('llama.attention.head_count_kv', 'uint32', 1)],
    weights: [ones('output_norm', width)],
    layer: (index) => [...plainAttention(index), ...feedForward(index)],
  },
  qwen2vl: {
    facts: [
      ...attentionFacts('qwen2vl'),
      entry('qwen2vl.attention.head_count_kv', 'uint32', 1),
      listEntry('qwen2vl.rope.dimension_sections', 'int32', tinySections),
    ],
    weights: [ones('output_norm', width)],
    layer: (index) => [...plainAttention(index), ...feedForward(index)],
  },
  qwen3vl: {
    facts: [
      ...attentionFacts('qwen3vl'),
      entry('qwen3vl.attention.head_count_kv', 'uint32', 1),
      entry('qwen3vl.attention.key_length', 'uint32', headSize),
      entry('qwen3vl.attention.value_length', 'uint32', headSize),
      entry('qwen3vl.n_deepstack_layers', 'uint32', tinyDeepLayers),
      listEntry('qwen3vl.rope.dimension_sections', 'int32', tinySections),
    ],
    weights: [ones('output_norm', width)],
    layer: (index) => [...attention(index), ...feedForward(index)],
  },
  glm4: {
    facts: [
      ...attentionFacts('glm4'),
      entry('glm4.attention.head_count_kv', 'uint32', 1),
      listEntry('glm4.rope.dimension_sections', 'int32', tinySections),
    ],
    weights: [ones('output_norm', width)],
    layer: (index) => {
      const at = `blk.${index}`;
      return [
        ...plainAttention(index),
        ones(`${at}.post_attention_norm`, width),
        ones(`${at}.ffn_norm`, width),
        matrix(`${at}.ffn_up`, width, 2 * inner),
        matrix(`${at}.ffn_down`, inner, width),
        ones(`${at}.post_ffw_norm`, width),
      ];
    },
  },
  lfm2: {
    facts: [
      ...attentionFacts('lfm2'),
      listEntry('lfm2.attention.head_count_kv', 'int32', [0, 1, 0, 1]),
      entry('lfm2.shortconv.l_cache', 'uint32', 3),
    ],
    weights: [ones('token_embd_norm', width)],
    layer: (index) => [...(index % 2 === 0 ? shortConvolution(index) : attention(index)), ...feedForward(index)],
  },
};

function commonFacts(architecture: string): RawEntry[] {
  return [
    entry(`${architecture}.block_count`, 'uint32', layers),
    entry(`${architecture}.context_length`, 'uint32', 4096),
    entry(`${architecture}.embedding_length`, 'uint32', width),
    entry(`${architecture}.attention.layer_norm_rms_epsilon`, 'float32', 1e-6),
  ];
}

function attentionFacts(architecture: string): RawEntry[] {
  return [
    ...commonFacts(architecture),
    entry(`${architecture}.feed_forward_length`, 'uint32', inner),
    entry(`${architecture}.attention.head_count`, 'uint32', heads),
    entry(`${architecture}.rope.freq_base`, 'float32', 1e4),
  ];
}

function attention(index: number): Weight[] {
  const at = `blk.${index}`;
  return [...plainAttention(index), ones(`${at}.attn_q_norm`, headSize), ones(`${at}.attn_k_norm`, headSize)];
}

function plainAttention(index: number): Weight[] {
  const at = `blk.${index}`;
  return [
    ones(`${at}.attn_norm`, width),
    matrix(`${at}.attn_q`, width, heads * headSize),
    matrix(`${at}.attn_k`, width, headSize),
    matrix(`${at}.attn_v`, width, headSize),
    matrix(`${at}.attn_output`, heads * headSize, width),
  ];
}

function shortConvolution(index: number): Weight[] {
  const at = `blk.${index}`;
  return [
    ones(`${at}.attn_norm`, width),
    matrix(`${at}.shortconv.conv`, 3, width),
    matrix(`${at}.shortconv.in_proj`, width, 3 * width),
    matrix(`${at}.shortconv.out_proj`, width, width),
  ];
}

function feedForward(index: number): Weight[] {
  const at = `blk.${index}`;
  return [
    ones(`${at}.ffn_norm`, width),
    matrix(`${at}.ffn_gate`, width, inner),
    matrix(`${at}.ffn_up`, width, inner),
    matrix(`${at}.ffn_down`, inner, width),
  ];
}

function expertsOf(index: number): Weight[] {
  const at = `blk.${index}`;
  const each = (name: string, inputs: number, outputs: number): Weight => ({
    name: `${at}.${name}.weight`,
    shape: [inputs, outputs, experts],
    fill: { deviation: 1 / Math.sqrt(inputs) },
  });
  return [
    ones(`${at}.ffn_norm`, width),
    matrix(`${at}.ffn_gate_inp`, width, experts),
    each('ffn_gate_exps', width, expertSize),
    each('ffn_up_exps', width, expertSize),
    each('ffn_down_exps', expertSize, width),
  ];
}

/** A LoRA adapter of random weights for the demo model: its first layer's attention gives something else. */
export function writeTinyAdapter(path: string, seed = 1, deviation = 0.5): void {
  const random = new Random(seed);
  const weights: Weight[] = [
    { name: 'blk.0.attn_output.weight.lora_a', shape: [demoWidth, adapterRank], fill: { deviation } },
    { name: 'blk.0.attn_output.weight.lora_b', shape: [adapterRank, demoWidth], fill: { deviation } },
  ];
  const facts = [
    entry('general.architecture', 'string', 'llama'),
    entry('general.type', 'string', 'adapter'),
    entry('adapter.type', 'string', 'lora'),
    entry('adapter.lora.alpha', 'float32', adapterRank),
  ];
  writeGguf(
    path,
    facts,
    weights.map((weight) => tensorOf(weight, random)),
  );
}

const demoWidth = 192;
const adapterRank = 4;

function matrix(name: string, inputs: number, outputs: number, deviation = 1 / Math.sqrt(inputs)): Weight {
  return { name: `${name}.weight`, shape: [inputs, outputs], fill: { deviation } };
}

function ones(name: string, size: number): Weight {
  return { name: `${name}.weight`, shape: [size], fill: 1 };
}

function tensorOf({ name, shape, fill }: Weight, random: Random): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  // A sum of four even ones is near enough to a normal one.
  const normal = (deviation: number) =>
    (random.next() + random.next() + random.next() + random.next() - 2) * Math.sqrt(3) * deviation;
  return {
    name,
    shape,
    type: 'F32',
    data: () => {
      const values = Float32Array.from({ length: size }, () =>
        typeof fill === 'number' ? fill : normal(fill.deviation),
      );
      return new Uint8Array(values.buffer);
    },
  };
}

/** Of `tokenizer.ggml.token_type`. */
const control = 3;

function withMarks(entries: Map<string, RawEntry>, marks: readonly string[]): Map<string, RawEntry> {
  const extend = (key: string, type: 'string' | 'int32', values: readonly (string | number)[]) => {
    const list = entries.get(key);
    if (!list) throw new Error(`the model has no ${key}`);
    entries.set(key, extended(list, type, values));
  };
  extend('tokenizer.ggml.tokens', 'string', marks);
  extend(
    'tokenizer.ggml.token_type',
    'int32',
    marks.map(() => control),
  );
  return entries;
}

/** Length of the array `tokenizer.ggml.tokens`, which stands behind key, type and inner type. */
function vocabularySize(entries: ReadonlyMap<string, RawEntry>): number {
  const key = 'tokenizer.ggml.tokens';
  const tokens = entries.get(key);
  if (!tokens) throw new Error('the demo model has no tokens');
  return Number(Buffer.from(tokens).readBigUInt64LE(8 + key.length + 4 + 4));
}
