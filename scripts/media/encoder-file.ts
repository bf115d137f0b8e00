import { Random } from '../../test/support/random.ts';
import { entry, listEntry, type RawEntry, type Tensor, writeGguf } from '../bench/gguf.ts';
import { halves } from '../bench/random-tensors.ts';

/** A projector of the kind `gemma3`, whose encoder is SigLIP's, with random weights. */
export interface EncoderShape {
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
  readonly blocks: number;
  /** Points a side: of the image and of a patch. */
  readonly side: number;
  readonly patch: number;
  /** Values of one row that it gives. */
  readonly rowWidth: number;
}

/** SigLIP so400m. */
export const siglip = { width: 1152, heads: 16, inner: 4304, blocks: 27, patch: 14 } as const;

export function writeEncoder(path: string, shape: EncoderShape): void {
  const { width, heads, inner, blocks, side, patch, rowWidth } = shape;
  const at = 'clip.vision.';
  const sizes = {
    [`${at}image_size`]: side,
    [`${at}patch_size`]: patch,
    [`${at}embedding_length`]: width,
    [`${at}feed_forward_length`]: inner,
    [`${at}block_count`]: blocks,
    [`${at}attention.head_count`]: heads,
    [`${at}projection_dim`]: rowWidth,
  };
  const facts: RawEntry[] = [
    entry('general.architecture', 'string', 'clip'),
    entry('general.type', 'string', 'mmproj'),
    entry('clip.has_vision_encoder', 'bool', true),
    entry('clip.projector_type', 'string', 'gemma3'),
    entry('clip.use_gelu', 'bool', true),
    ...Object.entries(sizes).map(([key, value]) => entry(key, 'uint32', value)),
    entry(`${at}attention.layer_norm_epsilon`, 'float32', 1e-6),
    listEntry(`${at}image_mean`, 'float32', [0.5, 0.5, 0.5]),
    listEntry(`${at}image_std`, 'float32', [0.5, 0.5, 0.5]),
  ];
  const linear = (name: string, inputs: number, outputs: number) => [
    matrix(`${name}.weight`, [inputs, outputs], 1 / Math.sqrt(inputs)),
    floats(`${name}.bias`, [outputs], normal(0.1)),
  ];
  const norm = (name: string) => [
    floats(`${name}.weight`, [width], normal(0.1, 1)),
    floats(`${name}.bias`, [width], normal(0.1)),
  ];
  const block = (name: string) => [
    ...norm(`${name}.ln1`),
    ...['attn_q', 'attn_k', 'attn_v', 'attn_out'].flatMap((part) => linear(`${name}.${part}`, width, width)),
    ...norm(`${name}.ln2`),
    ...linear(`${name}.ffn_up`, width, inner),
    ...linear(`${name}.ffn_down`, inner, width),
  ];
  writeGguf(path, facts, [
    matrix('v.patch_embd.weight', [patch, patch, 3, width], 1 / Math.sqrt(3 * patch * patch)),
    floats('v.patch_embd.bias', [width], normal(0.1)),
    floats('v.position_embd.weight', [width, Math.floor(side / patch) ** 2], normal(0.5)),
    ...Array.from({ length: blocks }, (_, index) => block(`v.blk.${index}`)).flat(),
    ...norm('v.post_ln'),
    floats('mm.soft_emb_norm.weight', [width], normal(0.1, 1)),
    matrix('mm.input_projection.weight', [rowWidth, width], 0.2),
  ]);
}

/** A prime: rows of a matrix, whose widths it divides none of, get the numbers in another order each. */
const tableSize = 65_537;
const random = new Random(1);
const table = Float32Array.from({ length: tableSize }, () => (random.next() * 2 - 1) * Math.sqrt(3));

/** Numbers of this deviation around `mean`, one table of them again and again: hundreds of millions are wanted. */
function normal(deviation: number, mean = 0): Float32Array {
  return table.map((value) => mean + value * deviation);
}

function matrix(name: string, shape: readonly number[], deviation: number): Tensor {
  return { name, shape, type: 'F16', data: () => repeated(halves(normal(deviation)), 2 * product(shape)) };
}

function floats(name: string, shape: readonly number[], values: Float32Array): Tensor {
  return { name, shape, type: 'F32', data: () => repeated(new Uint8Array(values.buffer), 4 * product(shape)) };
}

function repeated(bytes: Uint8Array, length: number): Uint8Array {
  const all = new Uint8Array(length);
  for (let at = 0; at < length; at += bytes.length) all.set(bytes.subarray(0, length - at), at);
  return all;
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, extent) => all * extent, 1);
}
