import { GgufInsights, type LlamaModel } from 'node-llama-cpp';

/**
 * On CPUs, memory is weighed by node-llama-cpp's older formulas instead of by its default, which loads the vocabulary
 * twice more for it: a quarter of a second each for 152,000 tokens, and so a fifth of a start.
 *
 * Weights: both give the same figure. Context: with flash attention the formula agrees to 5 % (24 layers, 4 slots of
 * 32,768 tokens: 1,923 against 1,925 MB); without, it knows nothing of the attention scores, which are added here. What
 * comes out is 0.94 to 1.16 times the default's figure from 200 MB on, more below (15 shapes of 3 models).
 */
export function weighWeightsByFormula(): void {
  GgufInsights.prototype.estimateModelResourceRequirementsV2 = function weigh(this: GgufInsights, options) {
    return Promise.resolve(this.estimateModelResourceRequirements(options));
  };
}

const defaultBatchSize = 512;
const bytesPerScore = 4;

export function weighContextsByFormula({ fileInsights, fileInfo }: LlamaModel): void {
  const heads = mostHeads(fileInfo.architectureMetadata?.attention?.head_count);
  fileInsights.estimateContextResourceRequirementsV2 = (options) => {
    const { flashAttention, contextSize, batchSize = defaultBatchSize } = options;
    const known = fileInsights.estimateContextResourceRequirements({ ...options, flashAttention: true });
    const scores = flashAttention === true ? 0 : heads * Math.min(batchSize, contextSize) * contextSize * bytesPerScore;
    return Promise.resolve({ ...known, cpuRam: known.cpuRam + scores });
  };
}

/** One number for all layers, or one for each. */
function mostHeads(count: number | readonly number[] | undefined): number {
  return typeof count === 'number' ? count : Math.max(0, ...(count ?? []));
}
