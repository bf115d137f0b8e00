import type { HubModel } from './hub.ts';

/** Bytes that a model may take on this machine. */
export interface MachineMemory {
  readonly ram: number;
  /** 0 without a GPU, or with one that shares the RAM. */
  readonly vram: number;
}

export interface QuantizationChoice {
  readonly model: HubModel;
  /** Weights, context and computing. */
  readonly neededBytes: number;
  readonly fits: 'gpu' | 'ram' | 'no';
}

/** Beyond 8 bits a weight there is nothing to gain but size. */
const needless = /^(UD-)?(F32|FP32|F16|FP16|BF16)$/;

/** Room for context and computing beside the weights, where nothing but the size of the file is known. */
export function neededBySize(bytes: number): number {
  return Math.ceil(bytes * 1.1 + 500e6);
}

/** `neededFor`: bytes that a model takes in memory. */
export function rateQuantizations(
  models: readonly HubModel[],
  memory: MachineMemory,
  neededFor: (model: HubModel) => number,
): QuantizationChoice[] {
  return models.map((model) => {
    const neededBytes = neededFor(model);
    const fits = neededBytes <= memory.vram ? 'gpu' : neededBytes <= memory.ram ? 'ram' : 'no';
    return { model, neededBytes, fits };
  });
}

/**
 * The largest that fits the GPU, else the largest that fits the memory, full-precision ones only where there is
 * nothing else. undefined when nothing fits.
 */
export function chooseQuantization(choices: readonly QuantizationChoice[]): HubModel | undefined {
  const sensible = choices.filter(({ model }) => !needless.test(model.quantization ?? ''));
  const pool = sensible.length > 0 ? sensible : choices;
  for (const place of ['gpu', 'ram'] as const) {
    const fitting = pool.filter((choice) => choice.fits === place);
    const best = fitting.toSorted((a, b) => b.model.bytes - a.model.bytes)[0];
    if (best) return best.model;
  }
  return undefined;
}
