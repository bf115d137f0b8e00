import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

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
}

export interface MemoryShape {
  /** Tokens per slot. */
  readonly contextSize: number;
  readonly slots: number;
  readonly cacheType: keyof typeof bytesPerValue;
}

/** Block formats store a scale beside the values, see gguf-tables.ts. */
const bytesPerValue = {
  f32: 4,
  f16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
} as const;

const megabyte = 1e6;

/** A forged header may name any number. */
const mostLayers = 4096;
/** Tokens of a batch, which a window holds besides its own. */
const batchTokens = 512;

/**
 * Keys and values of every layer for every token of every slot (of layers with a sliding window, for those in it), the
 * weights as they lie in the file, and something for computing. Layers with a recurrent state need less: then the figure
 * is an upper bound.
 */
export function memoryNeed(model: MemoryFacts, shape: MemoryShape): MemoryNeed {
  const perSlot = cacheValues(model, shape.contextSize) * bytesPerValue[shape.cacheType];
  const context = Math.ceil(perSlot * shape.slots);
  const compute = Math.ceil(32 * megabyte + 512 * 4 * (number(model, 'embedding_length') ?? 0) * 8);
  const weights = model.sizeBytes;
  return { weights, context, compute, total: weights + context + compute };
}

/** Numbers kept for one slot: keys and values over all layers. */
function cacheValues(model: MemoryFacts, contextSize: number): number {
  const layers = Math.min(number(model, 'block_count') ?? 0, mostLayers);
  const heads = number(model, 'attention.head_count') ?? 1;
  const headSize = (number(model, 'embedding_length') ?? 0) / heads;
  const keySize = number(model, 'attention.key_length') ?? headSize;
  const valueSize = number(model, 'attention.value_length') ?? headSize;
  const window = number(model, 'attention.sliding_window') ?? 0;
  const inWindow = window > 0 ? Math.min(contextSize, window + batchTokens) : contextSize;
  let values = 0;
  for (let layer = 0; layer < layers; layer++) {
    const tokens = slides(model, layer) ? inWindow : contextSize;
    values += keyHeads(model, layer, heads) * (keySize + valueSize) * tokens;
  }
  return values;
}

/** One number for all layers, or a list with one for each. */
function keyHeads(model: MemoryFacts, layer: number, heads: number): number {
  const value = model.metadata[`${model.architecture}.attention.head_count_kv`];
  if (Array.isArray(value)) return typeof value[layer] === 'number' ? value[layer] : 0;
  return typeof value === 'number' ? value : heads;
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
  if (typeof value === 'number') return value;
  if (value === undefined || value === null || typeof value !== 'object' || isJsonObject(value)) return undefined;
  const numbers = value.filter((each) => typeof each === 'number');
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}
