import { writeFileSync } from 'node:fs';

/**
 * A BERT model of random weights as a GGUF file: two layers of width 32 and a vocabulary of letters, for the paths that
 * the demo model does not take (mean and cls pooling, a ranking head). What it says means nothing, but it is the same on
 * every run. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export interface TinyBertOptions {
  /** llama.cpp's pooling types. */
  readonly pooling: 'mean' | 'cls' | 'rank';
}

const poolingTypes = { mean: 1, cls: 2, rank: 4 } as const;
const width = 32;
const inner = 64;
const layers = 2;
export const tinyBertContext = 64;

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const vocabulary = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...letters.map((letter) => `\u2581${letter}`),
  ...letters,
];

export function writeTinyBert(path: string, options: TinyBertOptions): void {
  const random = randomNumbers(7);
  const tensors = tensorShapes(options).map(([name, ...shape]) => {
    const size = shape.reduce((product, side) => product * side, 1);
    const isNorm = name.endsWith('norm.weight');
    return { name, shape, data: Float32Array.from({ length: size }, () => (isNorm ? 1 : random() * 0.4)) };
  });
  const facts = metadata(options);
  const bytes = new Writer();
  bytes.text4('GGUF');
  bytes.u32(3);
  bytes.u64(tensors.length);
  bytes.u64(facts.length);
  for (const [key, write] of facts) {
    bytes.string(key);
    write(bytes);
  }
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    bytes.string(name);
    bytes.u32(shape.length);
    for (const side of shape) bytes.u64(side);
    bytes.u32(0);
    bytes.u64(offset);
    offset += padded(data.byteLength);
  }
  bytes.pad();
  for (const { data } of tensors) {
    bytes.raw(new Uint8Array(data.buffer));
    bytes.pad();
  }
  writeFileSync(path, bytes.result());
}

function tensorShapes({ pooling }: TinyBertOptions): [string, ...number[]][] {
  const block = (index: number): [string, ...number[]][] => {
    const square = ['attn_q', 'attn_k', 'attn_v', 'attn_output'].flatMap((name): [string, ...number[]][] => [
      [`blk.${index}.${name}.weight`, width, width],
      [`blk.${index}.${name}.bias`, width],
    ]);
    return [
      ...square,
      ...norm(`blk.${index}.attn_output_norm`),
      [`blk.${index}.ffn_up.weight`, width, inner],
      [`blk.${index}.ffn_up.bias`, inner],
      [`blk.${index}.ffn_down.weight`, inner, width],
      [`blk.${index}.ffn_down.bias`, width],
      ...norm(`blk.${index}.layer_output_norm`),
    ];
  };
  const head: [string, ...number[]][] = [
    ['cls.weight', width, width],
    ['cls.bias', width],
    ['cls.output.weight', width, 1],
    ['cls.output.bias', 1],
  ];
  return [
    ['token_embd.weight', width, vocabulary.length],
    ['token_types.weight', width, 2],
    ['position_embd.weight', width, tinyBertContext],
    ...norm('token_embd_norm'),
    ...Array.from({ length: layers }, (_, index) => index).flatMap(block),
    ...(pooling === 'rank' ? head : []),
  ];
}

function norm(name: string): [string, ...number[]][] {
  return [
    [`${name}.weight`, width],
    [`${name}.bias`, width],
  ];
}

type Fact = readonly [key: string, write: (bytes: Writer) => void];

function metadata({ pooling }: TinyBertOptions): Fact[] {
  const u32 = (value: number) => (bytes: Writer) => {
    bytes.u32(4);
    bytes.u32(value);
  };
  const text = (value: string) => (bytes: Writer) => {
    bytes.u32(8);
    bytes.string(value);
  };
  return [
    ['general.architecture', text('bert')],
    ['general.name', text('tiny-bert')],
    ['bert.context_length', u32(tinyBertContext)],
    ['bert.embedding_length', u32(width)],
    ['bert.feed_forward_length', u32(inner)],
    ['bert.block_count', u32(layers)],
    ['bert.attention.head_count', u32(2)],
    ['bert.pooling_type', u32(poolingTypes[pooling])],
    [
      'bert.attention.layer_norm_epsilon',
      (bytes) => {
        bytes.u32(6);
        bytes.f32(1e-12);
      },
    ],
    [
      'bert.attention.causal',
      (bytes) => {
        bytes.u32(7);
        bytes.raw(Uint8Array.of(0));
      },
    ],
    ['tokenizer.ggml.model', text('bert')],
    ['tokenizer.ggml.pre', text('jina-v2-en')],
    ['tokenizer.ggml.token_type_count', u32(2)],
    [
      'tokenizer.ggml.tokens',
      (bytes) => {
        bytes.u32(9);
        bytes.u32(8);
        bytes.u64(vocabulary.length);
        for (const token of vocabulary) bytes.string(token);
      },
    ],
    [
      'tokenizer.ggml.token_type',
      (bytes) => {
        bytes.u32(9);
        bytes.u32(5);
        bytes.u64(vocabulary.length);
        for (const token of vocabulary) bytes.u32(token.startsWith('[') ? 3 : 1);
      },
    ],
    ['tokenizer.ggml.padding_token_id', u32(0)],
    ['tokenizer.ggml.unknown_token_id', u32(1)],
    ['tokenizer.ggml.bos_token_id', u32(2)],
    ['tokenizer.ggml.eos_token_id', u32(3)],
    ['tokenizer.ggml.cls_token_id', u32(2)],
    ['tokenizer.ggml.seperator_token_id', u32(3)],
    ['tokenizer.ggml.mask_token_id', u32(4)],
  ];
}

/** -1 to 1, the same sequence for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  };
}

const alignment = 32;

function padded(length: number): number {
  return Math.ceil(length / alignment) * alignment;
}

class Writer {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  text4(text: string): void {
    this.raw(new TextEncoder().encode(text));
  }

  u32(value: number): void {
    this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  f32(value: number): void {
    this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  u64(value: number): void {
    this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  pad(): void {
    this.raw(new Uint8Array(padded(this.#length) - this.#length));
  }

  result(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}
