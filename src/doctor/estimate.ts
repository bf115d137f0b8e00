import { tensorTypes } from '../models/gguf-tables.ts';
import { contextOfLayers, layersOf } from '../models/memory.ts';
import type { PlacedModel, Placement } from '../models/placement.ts';

/** A tensor, and the format that its numbers have in the file. */
export interface SizedTensor {
  readonly name: string;
  readonly bytes: number;
  /** As files name it: Q4_K. */
  readonly type: string;
}

/** What is told about, whether it lies on this machine or not. */
export interface EstimatedModel extends PlacedModel {
  readonly tensors: readonly SizedTensor[];
}

/** What one place to compute did. */
export interface Rates {
  /** By format of the weights: bytes a second with one token, as in an answer. */
  readonly reading: Readonly<Record<string, number>>;
  /** By format: multiplications and additions a second with many tokens, as in a prompt. */
  readonly prompt: Readonly<Record<string, number>>;
}

/** What was measured. */
export interface Measured {
  readonly cpu: Rates;
  /** Undefined: without a GPU. */
  readonly gpu: Rates | undefined;
  /** What a layer takes besides its weights, in milliseconds: the calls, and what is small. */
  readonly layerMs: number;
  /** What a token of a prompt takes besides products, for each number of its row in each layer, in milliseconds. */
  readonly rowMs: number;
}

/** Tokens a second. */
export interface Speed {
  readonly answer: number;
  readonly prompt: number;
}

/** Tokens that stand before the one that is computed. */
const assumedDepth = 1024;

type Where = Pick<Placement, 'gpuLayers' | 'layers' | 'expertLayers'>;

/**
 * How quickly one answer would come and a prompt would be read, at the beginning of a conversation: all weights that a
 * token needs are read once, at the rate that was measured for their format, and so is what the context remembers; each
 * layer costs its calls. For a prompt what counts is arithmetic. `where`: undefined is all on the processor.
 */
export function estimateSpeed(model: EstimatedModel, measured: Measured, where: Where | undefined): Speed {
  const context = contextOfLayers(model, { contextSize: assumedDepth, slots: 1, cacheType: 'f16' });
  // Measured on the processor: a GPU does this beside the products.
  const onProcessor = context.filter((_, layer) => !isOnGpu(layer, false, where)).length;
  let [answerMs, promptMs] = [layersOf(model) * measured.layerMs, onProcessor * widthOf(model) * measured.rowMs];
  for (const tensor of readTensors(model)) {
    const rates = ratesAt(tensor, measured, where);
    answerMs += (1000 * tensor.bytesRead) / rateOf(rates.reading, tensor.type);
    // The output is computed for the last token of a prompt alone.
    if (isOfLayer(tensor)) promptMs += (1000 * 2 * valuesRead(tensor)) / rateOf(rates.prompt, tensor.type);
  }
  for (const [layer, bytes] of context.entries()) {
    const rates = isOnGpu(layer, false, where) ? (measured.gpu ?? measured.cpu) : measured.cpu;
    answerMs += (1000 * bytes) / rateOf(rates.reading, 'F16');
  }
  return { answer: 1000 / answerMs, prompt: 1000 / promptMs };
}

/** Numbers of the row that a token is between two layers. */
export function widthOf({ metadata, architecture }: EstimatedModel): number {
  return Number(metadata[`${architecture}.embedding_length`] ?? 0);
}

/** The formats that most of a model's reading is of, the most first. */
export function formatsOf(model: EstimatedModel): string[] {
  const bytes = new Map<string, number>();
  for (const { type, bytesRead } of readTensors(model)) bytes.set(type, (bytes.get(type) ?? 0) + bytesRead);
  const all = [...bytes.values()].reduce((sum, each) => sum + each, 0);
  return [...bytes]
    .filter(([, each]) => each > all / 100)
    .sort(([, one], [, other]) => other - one)
    .map(([type]) => type);
}

interface ReadTensor extends SizedTensor {
  /** For one token. */
  readonly bytesRead: number;
}

/** Of which a token reads a row; the first one is also the output where there is no other. */
const tables = { vocabulary: 'token_embd.weight', ofLayers: 'per_layer_token_embd.weight' };

/** Without those of which a token reads a row, with the experts that are used. */
function readTensors(model: EstimatedModel): ReadTensor[] {
  const number = (key: string) => Number(model.metadata[`${model.architecture}.${key}`] ?? 0);
  const [count, used] = [number('expert_count'), number('expert_used_count')];
  const expertShare = count > 0 && used > 0 ? used / count : 1;
  const isTied = !model.tensors.some(({ name }) => name === 'output.weight');
  return model.tensors.flatMap((tensor) => {
    if (tensor.name === tables.ofLayers || (tensor.name === tables.vocabulary && !isTied)) return [];
    return [{ ...tensor, bytesRead: tensor.bytes * (isExpert(tensor.name) ? expertShare : 1) }];
  });
}

function isOfLayer({ name }: SizedTensor): boolean {
  return name.startsWith('blk.');
}

function valuesRead({ type, bytesRead }: ReadTensor): number {
  const format = Object.values(tensorTypes).find((each) => each.name === type);
  return format ? (bytesRead / format.bytes) * format.block : 0;
}

function isExpert(name: string): boolean {
  return /_exps\.weight$/.test(name);
}

function ratesAt({ name }: SizedTensor, { cpu, gpu }: Measured, where: Where | undefined): Rates {
  const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? Number.NaN);
  return gpu && isOnGpu(layer, isExpert(name), where) ? gpu : cpu;
}

/** The output counts as the last layer. */
function isOnGpu(layer: number, expert: boolean, where: Where | undefined): boolean {
  if (!where) return false;
  const at = Number.isNaN(layer) ? where.layers - 1 : layer;
  return at >= where.layers - where.gpuLayers && !(expert && at < where.expertLayers);
}

/** Of formats that were not measured: what was slowest. */
function rateOf(rates: Readonly<Record<string, number>>, type: string): number {
  return rates[type] ?? Math.min(...Object.values(rates));
}
