import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { ContextWish } from '../contract/load-wish.ts';
import type { CacheType } from '../contract/model-settings.ts';

/** What a model needs, in bytes. An estimate: compute buffers depend on the device. */
export interface MemoryNeed {
  readonly weights: number;
  readonly context: number;
  readonly compute: number;
  readonly total: number;
}

/** What the estimate reads of a model file. */
export interface MemoryFacts {
  readonly architecture: string;
  readonly sizeBytes: number;
  readonly metadata: JsonObject;
  /** What lets it see: its weights are as large as its file. */
  readonly projector?: { readonly sizeBytes: number } | undefined;
  /** Tokens; undefined: as the metadata tells. */
  readonly vocabularySize?: number | undefined;
}

/** What a context is made of: of a wish for one, what this estimate has its own idea of may be left out. */
export interface MemoryShape
  extends Pick<ContextWish, 'contextSize' | 'cacheType'>,
    Partial<Pick<ContextWish, 'keyType' | 'valueType' | 'fullWindows' | 'batchSize' | 'flashAttention'>> {
  readonly slots: number;
}

/** Block formats store a scale beside the values, see gguf-tables.ts. */
const bytesPerValue: Readonly<Record<CacheType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
};

/** A forged header may name any number. */
const mostLayers = 4096;
/** Tokens of a batch when nothing else is asked for; a window holds them besides its own. */
const defaultBatch = 512;
/** llama.cpp rounds a window's cells up to this (llama-kv-cache-iswa.cpp). */
const windowStep = 256;
/** What every context takes however small it is. */
const computeFloor = 24e6;

/**
 * Keys and values of every layer for every token of every slot (of layers with a sliding window, for those in it), the
 * states of recurrent layers, the weights as they lie in the file, and what computing takes. On the processor, against
 * llama.cpp's own figures: keys and values to the byte, computing 1.0 to 1.25 times as much (5 shapes).
 */
export function memoryNeed(model: MemoryFacts, shape: MemoryShape): MemoryNeed {
  const context = Math.ceil(contextOfLayers(model, shape).reduce((sum, bytes) => sum + bytes, 0));
  const compute = Math.ceil(computeBytes(model, shape));
  const weights = model.sizeBytes + (model.projector?.sizeBytes ?? 0);
  return { weights, context, compute, total: weights + context + compute };
}

/** Bytes of all slots, for each layer: whatever computes it keeps them. */
export function contextOfLayers(model: MemoryFacts, shape: MemoryShape): number[] {
  const { contextSize, slots, cacheType, keyType = cacheType, valueType = cacheType, batchSize = defaultBatch } = shape;
  const window = number(model, 'attention.sliding_window') ?? 0;
  const windowCells = Math.ceil((window + batchSize) / windowStep) * windowStep;
  const inWindow = window > 0 && !shape.fullWindows ? Math.min(contextSize, windowCells) : contextSize;
  return Array.from({ length: layersOf(model) }, (_, layer) => {
    if (seesWholeInput(model)) return 0;
    const tokens = slides(model, layer) ? inWindow : contextSize;
    const { keys, values } = attentionValues(model, layer);
    const token = keys * bytesPerValue[keyType] + values * bytesPerValue[valueType];
    return (token * tokens + stateBytes(model, layer)) * slots;
  });
}

export function layersOf(model: MemoryFacts): number {
  return Math.min(number(model, 'block_count') ?? 0, mostLayers);
}

/** Models for vectors read their input at once and remember nothing. */
function seesWholeInput({ metadata, architecture }: MemoryFacts): boolean {
  return metadata[`${architecture}.attention.causal`] === false;
}

/** The largest intermediate result of a batch: scores of all its tokens, or attention scores, or a feed-forward layer. */
export function computeBytes(model: MemoryFacts, shape: MemoryShape): number {
  const { contextSize, batchSize = defaultBatch, flashAttention = true } = shape;
  const batch = Math.min(batchSize, Math.max(1, contextSize));
  const attention = flashAttention ? 0 : (number(model, 'attention.head_count') ?? 0) * contextSize;
  const experts = (number(model, 'expert_used_count') ?? 0) * (number(model, 'expert_feed_forward_length') ?? 0);
  const feedForward = Math.max(number(model, 'feed_forward_length') ?? 0, experts);
  const wide = Math.max(vocabularySize(model), 4 * feedForward, attention);
  const perToken = 4 * (wide + 8 * (number(model, 'embedding_length') ?? 0));
  const mask = (flashAttention ? 2 : 4) * contextSize;
  return computeFloor + batch * (perToken + mask);
}

function vocabularySize(model: MemoryFacts): number {
  const { vocabularySize: known, metadata } = model;
  const tokens = metadata['tokenizer.ggml.tokens'];
  const listed = isJsonObject(tokens) && typeof tokens.length === 'number' ? tokens.length : undefined;
  return known ?? listed ?? number(model, 'vocab_size') ?? 0;
}

/** Numbers that one token leaves. */
function attentionValues(model: MemoryFacts, layer: number): { readonly keys: number; readonly values: number } {
  if (isRecurrent(model, layer) && model.architecture !== 'falcon-h1') return { keys: 0, values: 0 };
  const heads = inLayer(model, 'attention.head_count', layer) ?? 1;
  const headSize = heads > 0 ? (number(model, 'embedding_length') ?? 0) / heads : 0;
  const keySize = number(model, 'attention.key_length') ?? headSize;
  // Models that keep a latent vector instead (DeepSeek) compute keys and values from it.
  const latent = number(model, 'attention.key_length_mla') !== undefined;
  const valueSize = latent ? 0 : (number(model, 'attention.value_length') ?? headSize);
  const keyHeads = inLayer(model, 'attention.head_count_kv', layer) ?? heads;
  return { keys: keyHeads * keySize, values: keyHeads * valueSize };
}

const recurrentArchitectures = new Set(['mamba', 'mamba2', 'rwkv6', 'rwkv6qwen2', 'rwkv7', 'arwkv7', 'falcon-h1']);
/** Every fourth layer of these sees everything, unless the file says otherwise. */
const mixedArchitectures = new Set(['qwen3next', 'qwen35', 'qwen35moe']);

/** A layer that keeps a state of fixed size (llama-hparams.cpp and the models' own files). */
function isRecurrent(model: MemoryFacts, layer: number): boolean {
  if (recurrentArchitectures.has(model.architecture)) return true;
  if (mixedArchitectures.has(model.architecture)) {
    return (layer + 1) % (number(model, 'full_attention_interval') ?? 4) !== 0;
  }
  return Array.isArray(model.metadata[`${model.architecture}.attention.head_count_kv`])
    ? inLayer(model, 'attention.head_count_kv', layer) === 0
    : false;
}

/** Of one slot, in numbers of 32 bits: the last inputs of its convolution, and what it remembers. */
function stateBytes(model: MemoryFacts, layer: number): number {
  if (!isRecurrent(model, layer)) return 0;
  const of = (key: string) => number(model, key) ?? 0;
  const width = of('embedding_length');
  if (of('wkv.head_size') > 0) return 4 * width * (of('wkv.head_size') + 2);
  if (of('kda.head_dim') > 0) {
    const heads = of('attention.head_count') * of('kda.head_dim');
    return 4 * heads * (of('kda.head_dim') + 3 * Math.max(0, of('ssm.conv_kernel') - 1));
  }
  if (of('shortconv.l_cache') > 0) return 4 * width * (of('shortconv.l_cache') - 1);
  const inner = of('ssm.inner_size');
  const convolution =
    Math.max(0, of('ssm.conv_kernel') - 1) * (inner + 2 * of('ssm.group_count') * of('ssm.state_size'));
  return 4 * (convolution + inner * of('ssm.state_size'));
}

/** One number for all layers, or a list with one for each. */
function inLayer(model: MemoryFacts, key: string, layer: number): number | undefined {
  const value = model.metadata[`${model.architecture}.${key}`];
  if (!Array.isArray(value)) return isFiniteNumber(value) ? value : undefined;
  const own = value[layer];
  return isFiniteNumber(own) ? own : 0;
}

/** Where the file does not say it: every so many layers one sees everything, the others a window (llama-model.cpp). */
const layersPerFullOne: Readonly<Record<string, number>> = {
  gemma2: 2,
  gemma3: 6,
  gemma3n: 5,
  'gpt-oss': 2,
  cohere2: 4,
  exaone4: 4,
};

/** Whether a layer sees a window only; of unknown patterns none does, which is on the safe side. */
function slides({ architecture, metadata }: MemoryFacts, layer: number): boolean {
  const pattern = metadata[`${architecture}.attention.sliding_window_pattern`];
  if (Array.isArray(pattern)) return pattern[layer] === true;
  const every = typeof pattern === 'number' ? pattern : (layersPerFullOne[architecture] ?? 1);
  return every > 1 && (layer + 1) % every !== 0;
}

function number(model: MemoryFacts, key: string): number | undefined {
  return largest(model.metadata[`${model.architecture}.${key}`]);
}

/** Some models give one value for each layer: the largest is on the safe side. */
function largest(value: JsonValue | undefined): number | undefined {
  if (isFiniteNumber(value)) return value;
  if (!Array.isArray(value)) return undefined;
  const numbers = value.filter(isFiniteNumber);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function isFiniteNumber(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
