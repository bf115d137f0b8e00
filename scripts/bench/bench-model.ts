import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RandomBits } from '../../src/bench/random-bits.ts';
import type { RawEntry, Tensor } from './gguf.ts';
import { entry, readEntries, writeGguf } from './gguf.ts';
import type { QuantizedType } from './random-tensors.ts';
import { constant, randomWeights } from './random-tensors.ts';

export interface ModelShape {
  readonly layers: number;
  readonly width: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly type: QuantizedType;
  /** `general.file_type`: what the file is mostly made of. */
  readonly fileType: number;
}

/**
 * mini: so small that sampling over 152k tokens and the server itself take most of the time, as they do for small models
 * on a fast GPU. half-b: the shape of Qwen2 0.5B, where the model takes the time.
 */
export const modelShapes = {
  mini: {
    layers: 2,
    width: 128,
    feedForward: 512,
    heads: 2,
    keyValueHeads: 1,
    headSize: 64,
    type: 'Q8_0',
    fileType: 7,
  },
  'half-b': {
    layers: 24,
    width: 896,
    feedForward: 4864,
    heads: 14,
    keyValueHeads: 2,
    headSize: 64,
    type: 'Q4_0',
    fileType: 2,
  },
} as const satisfies Record<string, ModelShape>;

export type ModelName = keyof typeof modelShapes;

const contextLength = 32_768;

const chatTemplate = `{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}`;

/** Token id of `<|im_end|>` in Qwen2's vocabulary. */
const endOfTurn = 151_645;
const vocabularySize = 151_936;

/** Writes a model of random weights with Qwen2's vocabulary: as fast and as big as a real one, and it says nothing. */
export function makeBenchModel(name: ModelName, path: string): void {
  const shape = modelShapes[name];
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.unfinished`;
  writeGguf(unfinished, [...modelEntries(name, shape), ...vocabularyEntries()], modelTensors(shape));
  renameSync(unfinished, path);
}

function modelEntries(name: ModelName, shape: ModelShape): RawEntry[] {
  return [
    entry('general.architecture', 'string', 'qwen2'),
    entry('general.name', 'string', `bench-${name}`),
    entry('general.file_type', 'uint32', shape.fileType),
    entry('general.quantization_version', 'uint32', 2),
    entry('qwen2.block_count', 'uint32', shape.layers),
    entry('qwen2.context_length', 'uint32', contextLength),
    entry('qwen2.embedding_length', 'uint32', shape.width),
    entry('qwen2.feed_forward_length', 'uint32', shape.feedForward),
    entry('qwen2.attention.head_count', 'uint32', shape.heads),
    entry('qwen2.attention.head_count_kv', 'uint32', shape.keyValueHeads),
    entry('qwen2.attention.layer_norm_rms_epsilon', 'float32', 1e-6),
    entry('qwen2.rope.freq_base', 'float32', 1e6),
    entry('tokenizer.ggml.eos_token_id', 'uint32', endOfTurn),
    entry('tokenizer.chat_template', 'string', chatTemplate),
  ];
}

/** The vocabulary lies in the git bundle of llama.cpp that node-llama-cpp carries for people who build it themselves. */
function vocabularyEntries(): RawEntry[] {
  const own = ['tokenizer.ggml.eos_token_id', 'tokenizer.chat_template'];
  return [...readEntries(vocabularyFile())]
    .filter(([key]) => key.startsWith('tokenizer.') && !own.includes(key))
    .map(([, bytes]) => bytes);
}

function vocabularyFile(): Buffer {
  const library = dirname(fileURLToPath(import.meta.resolve('node-llama-cpp')));
  const bundle = join(library, '..', 'llama', 'gitRelease.bundle');
  const folder = mkdtempSync(join(tmpdir(), 'bench-vocabulary-'));
  try {
    execFileSync('git', ['clone', '--quiet', '--no-checkout', bundle, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    return execFileSync('git', ['-C', folder, 'show', 'HEAD:models/ggml-vocab-qwen2.gguf'], {
      maxBuffer: 64 * 2 ** 20,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Deviations keep the numbers sane through all layers: a matrix keeps the size of what it is fed (1 over the root of its
 * inputs), the two that write back into the residual stream share one unit among all layers, and the logits spread by 3.
 */
function modelTensors(shape: ModelShape): Tensor[] {
  const { layers, width, feedForward, type } = shape;
  const bits = new RandomBits(20_260_101);
  const queryWidth = shape.heads * shape.headSize;
  const keyWidth = shape.keyValueHeads * shape.headSize;
  const matrix = (name: string, inputs: number, outputs: number, gain = 1): Tensor => ({
    name: `${name}.weight`,
    shape: [inputs, outputs],
    type,
    data: () => randomWeights(bits, [inputs, outputs], type, gain / Math.sqrt(inputs)),
  });
  const vector = (name: string, size: number, value: number): Tensor => ({
    name,
    shape: [size],
    type: 'F32',
    data: () => constant([size], value),
  });
  const writeBack = 1 / Math.sqrt(2 * layers);
  const layer = (index: number): Tensor[] => {
    const at = `blk.${index}`;
    return [
      vector(`${at}.attn_norm.weight`, width, 1),
      matrix(`${at}.attn_q`, width, queryWidth),
      vector(`${at}.attn_q.bias`, queryWidth, 0),
      matrix(`${at}.attn_k`, width, keyWidth),
      vector(`${at}.attn_k.bias`, keyWidth, 0),
      matrix(`${at}.attn_v`, width, keyWidth),
      vector(`${at}.attn_v.bias`, keyWidth, 0),
      matrix(`${at}.attn_output`, queryWidth, width, writeBack),
      vector(`${at}.ffn_norm.weight`, width, 1),
      matrix(`${at}.ffn_gate`, width, feedForward),
      matrix(`${at}.ffn_up`, width, feedForward),
      matrix(`${at}.ffn_down`, feedForward, width, writeBack),
    ];
  };
  return [
    matrix('token_embd', width, vocabularySize, Math.sqrt(width)),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    vector('output_norm.weight', width, 1),
    matrix('output', width, vocabularySize, 3),
  ];
}
