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

/**
 * Keys and values of every layer for every token of every slot, the weights as they lie in the file, and something for
 * computing. Layers with a sliding window or a recurrent state need less: then the figure is an upper bound.
 */
export function memoryNeed(model: MemoryFacts, shape: MemoryShape): MemoryNeed {
  const perToken = cacheValuesPerToken(model) * bytesPerValue[shape.cacheType];
  const context = Math.ceil(perToken * shape.contextSize * shape.slots);
  const compute = Math.ceil(32 * megabyte + 512 * 4 * (number(model, 'embedding_length') ?? 0) * 8);
  const weights = model.sizeBytes;
  return { weights, context, compute, total: weights + context + compute };
}

/** Numbers kept for one token: keys and values over all layers. */
function cacheValuesPerToken(model: MemoryFacts): number {
  const layers = number(model, 'block_count') ?? 0;
  const heads = number(model, 'attention.head_count') ?? 1;
  const headSize = (number(model, 'embedding_length') ?? 0) / heads;
  const keySize = number(model, 'attention.key_length') ?? headSize;
  const valueSize = number(model, 'attention.value_length') ?? headSize;
  return keyHeads(model, layers, heads) * (keySize + valueSize);
}

/** Heads of keys, added up over the layers: one number for all layers, or a list with one for each. */
function keyHeads(model: MemoryFacts, layers: number, heads: number): number {
  const value = model.metadata[`${model.architecture}.attention.head_count_kv`];
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + (typeof each === 'number' ? each : 0), 0);
  return layers * (typeof value === 'number' ? value : heads);
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
