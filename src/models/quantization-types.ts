import { ServeError } from '../contract/errors.ts';
import { fileTypes } from './gguf-tables.ts';

/** What a model can be quantized to. */
export interface QuantizationType {
  readonly name: string;
  /** llama_ftype, and `general.file_type` of what is written. */
  readonly number: number;
}

/** llama.cpp writes no file of this type (llama-quant.cpp, `llama_ftype_get_default_type`). */
const notWritten = new Set(['NVFP4']);

export const quantizationTypes: readonly QuantizationType[] = Object.entries(fileTypes)
  .filter(([, name]) => !notWritten.has(name))
  .map(([number, name]) => ({ name, number: Number(number) }));

/** As llama-quantize calls them too. */
const alsoCalled: Readonly<Record<string, string>> = { Q3_K: 'Q3_K_M', Q4_K: 'Q4_K_M', Q5_K: 'Q5_K_M', FP16: 'F16' };

/** Of any spelling: `q4_k_m`. Throws ServeError invalid_request with those that are known. */
export function quantizationType(given: string): QuantizationType {
  const word = given.toUpperCase();
  const name = alsoCalled[word] ?? word;
  const found = quantizationTypes.find((type) => type.name === name);
  if (found) return found;
  const known = quantizationTypes.map((type) => type.name).join(', ');
  throw new ServeError('invalid_request', `There is no type ${given}. Known: ${known}.`, { param: given });
}

const trained = new Set(['TQ1_0', 'TQ2_0', 'Q1_0', 'Q2_0']);

/** Of little use for most models: made for weights that were trained to be so few numbers. */
export function isForTrainedOnes({ name }: QuantizationType): boolean {
  return trained.has(name);
}

/** Whether it is another type than Q8_0 for this model: only experts are written as MXFP4. */
export function isForExperts({ name }: QuantizationType): boolean {
  return name === 'MXFP4_MOE';
}
