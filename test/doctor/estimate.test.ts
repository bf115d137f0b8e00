import { describe, expect, it } from 'vitest';
import { type EstimatedModel, estimateSpeed, formatsOf, type Measured } from '../../src/doctor/estimate.ts';
import { knownModels } from '../../src/doctor/known-models.ts';

const gigabyte = 1e9;
const rates = {
  reading: { Q4_K: 10 * gigabyte, Q6_K: 20 * gigabyte, F16: 40 * gigabyte },
  prompt: { Q4_K: 100 * gigabyte, Q6_K: 50 * gigabyte },
};
const measured: Measured = { cpu: rates, gpu: undefined, layerMs: 0.5, rowMs: 0 };

/** Two layers that keep nothing, so that all of the time is that of the weights and the calls. */
function model(changes: Partial<EstimatedModel> = {}): EstimatedModel {
  return {
    ...{ id: 'M', architecture: 'a', sizeBytes: 0, trainedContextSize: 4096, vocabularySize: 10 },
    metadata: { 'a.block_count': 2, 'a.attention.head_count': 0 },
    tensors: [
      { name: 'token_embd.weight', type: 'Q4_K', bytes: 5e9 },
      { name: 'blk.0.ffn_up.weight', type: 'Q4_K', bytes: 144e6 },
      { name: 'blk.1.ffn_up.weight', type: 'Q6_K', bytes: 210e6 },
      { name: 'output.weight', type: 'Q6_K', bytes: 400e6 },
    ],
    ...changes,
  };
}

describe('the estimate of a speed', () => {
  it('reads all weights of a token once, each at the rate of its format, and adds what layers cost', () => {
    // 144 MB at 10, 610 MB at 20 GB/s, and two layers: 14.4 + 30.5 + 1 ms. 256M weights of each layer for a prompt.
    const speed = estimateSpeed(model(), measured, undefined);
    expect(speed.answer).toBeCloseTo(1000 / 45.9, 6);
    expect(speed.prompt).toBeCloseTo(1000 / (2 * 2.56 + 2 * 5.12), 6);
  });

  it('reads the table of the vocabulary where it is the output too, and only the experts that are used', () => {
    const tied = model({ tensors: [{ name: 'token_embd.weight', type: 'Q6_K', bytes: 380e6 }] });
    expect(estimateSpeed(tied, measured, undefined).answer).toBeCloseTo(1000 / (19 + 1), 6);
    const mixture = model({
      metadata: { 'a.block_count': 2, 'a.attention.head_count': 0, 'a.expert_count': 8, 'a.expert_used_count': 2 },
      tensors: [
        { name: 'blk.0.ffn_up_exps.weight', type: 'Q4_K', bytes: 400e6 },
        { name: 'output.weight', type: 'Q6_K', bytes: 20e6 },
      ],
    });
    expect(estimateSpeed(mixture, measured, undefined).answer).toBeCloseTo(1000 / (10 + 1 + 1), 6);
  });

  it('reads a row alone of the table that each layer has of the vocabulary', () => {
    const table = { name: 'per_layer_token_embd.weight', type: 'Q8_0', bytes: 2.5e9 };
    const plain = model();
    expect(estimateSpeed(model({ tensors: [...plain.tensors, table] }), measured, undefined)).toEqual(
      estimateSpeed(plain, measured, undefined),
    );
    expect(formatsOf(model({ tensors: [...plain.tensors, table] }))).toEqual(formatsOf(plain));
  });

  it('adds what the numbers of a row take in a prompt beside products', () => {
    const metadata = { 'a.block_count': 2, 'a.attention.head_count': 0, 'a.embedding_length': 1000 };
    const bare = 1000 / estimateSpeed(model({ metadata }), measured, undefined).prompt;
    const speed = estimateSpeed(model({ metadata }), { ...measured, rowMs: 0.002 }, undefined);
    expect(1000 / speed.prompt).toBeCloseTo(bare + 4, 6);
    const onGpu = { gpuLayers: 3, layers: 3, expertLayers: 0 };
    const gpu = { ...measured, gpu: rates };
    expect(estimateSpeed(model({ metadata }), { ...gpu, rowMs: 0.002 }, onGpu)).toEqual(
      estimateSpeed(model({ metadata }), gpu, onGpu),
    );
  });

  it('counts what the context remembers', () => {
    const metadata = { 'a.block_count': 2, 'a.embedding_length': 1024, 'a.attention.head_count': 8 };
    // 2 layers x 1024 tokens x (1024 keys + 1024 values) x 2 bytes at 40 GB/s.
    const ms = (2 * 1024 * 2048 * 2) / 40e6;
    const bare = 1000 / estimateSpeed(model(), measured, undefined).answer;
    expect(1000 / estimateSpeed(model({ metadata }), measured, undefined).answer).toBeCloseTo(bare + ms, 6);
  });

  it('takes each layer where it lies, and the slowest rate for a format that was not measured', () => {
    const gpu = { reading: { Q4_K: 100e9, Q6_K: 200e9 }, prompt: { Q4_K: 1e12, Q6_K: 1e12 } };
    const half = { gpuLayers: 2, layers: 3, expertLayers: 0 };
    // The last layer and the output are on the GPU.
    const speed = estimateSpeed(model(), { ...measured, gpu }, half);
    expect(speed.answer).toBeCloseTo(1000 / (14.4 + 1.05 + 2 + 1), 6);
    const odd = model({ tensors: [{ name: 'output.weight', type: 'IQ3_S', bytes: 100e6 }] });
    expect(estimateSpeed(odd, measured, undefined).answer).toBeCloseTo(1000 / (10 + 1), 6);
  });

  it('measures the formats that most of the reading is of', () => {
    expect(formatsOf(model())).toEqual(['Q6_K', 'Q4_K']);
  });
});

describe('the models that are known', () => {
  it('are as large as the files that the hub has of them', () => {
    const sizes = knownModels().map(({ id, sizeBytes }) => [id, Math.round(sizeBytes / 1e7) / 100]);
    // Published: 0.64, 2.50, 5.03 and 18.56 GB: with 6 MB of vocabulary, norms, and 50 MB that choose experts.
    expect(sizes).toEqual([
      ['Qwen3-0.6B Q8_0', 0.63],
      ['Qwen3-4B Q4_K_M', 2.49],
      ['Qwen3-8B Q4_K_M', 5.02],
      ['Qwen3-30B-A3B Q4_K_M', 18.5],
    ]);
  });
});
