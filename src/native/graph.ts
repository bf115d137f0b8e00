import type { NativeFunctions } from './functions.ts';
import type { NativeLibrary } from './library.ts';
import type { Pointer } from './pointer.ts';
import { countOf, mustHold, shapeOf, type Tensor, Tensors, tensorTypes } from './tensors.ts';

type Unary = 'gelu' | 'gelu_quick' | 'gelu_erf' | 'silu' | 'relu' | 'tanh';

/** GGML_SCALE_MODE_BILINEAR and its flags. */
export const interpolations = {
  bilinear: 1,
  bicubic: 2,
  alignedCorners: 1 << 8,
  antialiased: 1 << 9,
} as const;

export interface RopeOptions {
  /** How many values of each head are turned. */
  readonly dimensions: number;
  /** 0: neighbours, 2: halves (NeoX). */
  readonly mode: number;
  readonly base: number;
  readonly scale?: number;
  /** Where in each head the values that are turned begin. */
  readonly from?: number;
}

/**
 * A computation that is being described. Each operation checks what ggml asserts: a mistake is an error in JavaScript,
 * never the end of the process.
 */
export class Graph {
  readonly library: NativeLibrary;
  readonly pointer: Pointer;
  readonly inputs: { readonly tensor: Tensor; readonly data: ArrayBufferView }[] = [];
  readonly #space: Tensors;
  readonly #functions: NativeFunctions;

  /** `most`: tensors at most. */
  constructor(library: NativeLibrary, most: number) {
    this.library = library;
    this.#functions = library.functions;
    this.#space = new Tensors(library, most);
    this.pointer = this.#functions.ggml_new_graph_custom(this.#space.pointer, most, false);
  }

  /** Values that are there before it is computed. */
  input(data: Float32Array | Int32Array, extents: readonly number[]): Tensor {
    const type = data instanceof Int32Array ? tensorTypes.i32 : tensorTypes.f32;
    const tensor = this.#space.create(type, extents);
    if (countOf(tensor.shape) !== data.length)
      throw new RangeError(`${data.length} values are no ${extents.join(' x ')}.`);
    this.#functions.ggml_set_input(tensor.pointer);
    this.inputs.push({ tensor, data });
    return tensor;
  }

  /** Asks for the value of a tensor. */
  output(tensor: Tensor): void {
    this.#functions.ggml_set_output(tensor.pointer);
    this.#functions.ggml_build_forward_expand(this.pointer, tensor.pointer);
  }

  /** Computes it before what is asked for later. */
  first(tensor: Tensor): void {
    this.#functions.ggml_build_forward_expand(this.pointer, tensor.pointer);
  }

  /** `weights` [in, out] times each row [in, n]: [out, n]. */
  multiply(weights: Tensor, rows: Tensor): Tensor {
    const [wide, out, third, fourth] = weights.shape;
    const [width, ...more] = rows.shape;
    mustHold(wide === width && more[1] % third === 0 && more[2] % fourth === 0, 'a product', weights, rows);
    const pointer = this.#functions.ggml_mul_mat(this.context, weights.pointer, rows.pointer);
    return whole(pointer, [out, ...more]);
  }

  add(left: Tensor, right: Tensor): Tensor {
    mustHold(repeats(right, left), 'a sum', left, right);
    return like(left, this.#functions.ggml_add(this.context, left.pointer, right.pointer));
  }

  times(left: Tensor, right: Tensor): Tensor {
    mustHold(repeats(right, left), 'a product by element', left, right);
    return like(left, this.#functions.ggml_mul(this.context, left.pointer, right.pointer));
  }

  scale(tensor: Tensor, factor: number): Tensor {
    return like(tensor, this.#functions.ggml_scale(this.context, tensor.pointer, factor));
  }

  norm(kind: 'layer' | 'rms', tensor: Tensor, epsilon: number): Tensor {
    const { ggml_norm, ggml_rms_norm } = this.#functions;
    return like(tensor, (kind === 'rms' ? ggml_rms_norm : ggml_norm)(this.context, tensor.pointer, epsilon));
  }

  activate(kind: Unary, tensor: Tensor): Tensor {
    const { ggml_gelu, ggml_gelu_quick, ggml_gelu_erf, ggml_silu, ggml_relu, ggml_tanh } = this.#functions;
    const functions = {
      gelu: ggml_gelu,
      gelu_quick: ggml_gelu_quick,
      gelu_erf: ggml_gelu_erf,
      silu: ggml_silu,
      relu: ggml_relu,
      tanh: ggml_tanh,
    };
    return like(tensor, functions[kind](this.context, tensor.pointer));
  }

  /** `gate`, activated, times `up`. */
  gated(kind: 'silu' | 'gelu' | 'gelu_quick' | 'gelu_erf', gate: Tensor, up: Tensor): Tensor {
    mustHold(repeats(up, gate) && repeats(gate, up), 'a gate', gate, up);
    const { ggml_swiglu_split, ggml_geglu_split, ggml_geglu_quick_split, ggml_geglu_erf_split } = this.#functions;
    const functions = {
      silu: ggml_swiglu_split,
      gelu: ggml_geglu_split,
      gelu_quick: ggml_geglu_quick_split,
      gelu_erf: ggml_geglu_erf_split,
    };
    return like(gate, functions[kind](this.context, gate.pointer, up.pointer));
  }

  /** The first half of each row times its second half, activated. */
  gatedByHalf(rows: Tensor): Tensor {
    const [width, ...more] = rows.shape;
    mustHold(rows.whole && width % 2 === 0, 'a gate of halves', rows);
    return whole(this.#functions.ggml_swiglu_swapped(this.context, rows.pointer), [width / 2, ...more]);
  }

  reshape(tensor: Tensor, extents: readonly number[]): Tensor {
    const shape = shapeOf(extents);
    mustHold(tensor.whole && countOf(tensor.shape) === countOf(shape), `the shape ${extents.join(' x ')}`, tensor);
    const pointer = this.#functions.ggml_reshape_4d(this.context, tensor.pointer, ...shape);
    return { ...tensor, pointer, shape };
  }

  /** The extent that is at place i goes to place `to[i]`. */
  permute(tensor: Tensor, to: readonly [number, number, number, number]): Tensor {
    const shape: [number, number, number, number] = [1, 1, 1, 1];
    for (const [from, place] of to.entries()) shape[place] = tensor.shape[from] ?? 1;
    const pointer = this.#functions.ggml_permute(this.context, tensor.pointer, ...to);
    return { ...tensor, pointer, shape, whole: to.every((place, from) => place === from) && tensor.whole };
  }

  transpose(tensor: Tensor): Tensor {
    return this.permute(tensor, [1, 0, 2, 3]);
  }

  /** The same values without gaps, in the given extents. */
  pack(tensor: Tensor, extents: readonly number[] = tensor.shape): Tensor {
    const shape = shapeOf(extents);
    mustHold(countOf(tensor.shape) === countOf(shape), `the shape ${extents.join(' x ')}`, tensor);
    const pointer = this.#functions.ggml_cont_4d(this.context, tensor.pointer, ...shape);
    return { ...tensor, pointer, shape, whole: true };
  }

  /** `count` values of the first extent from `from` on. */
  slice(tensor: Tensor, from: number, count: number): Tensor {
    const [width, ...more] = tensor.shape;
    mustHold(tensor.whole && from >= 0 && from + count <= width, `a slice of ${count} from ${from}`, tensor);
    const { ggml_row_size, ggml_view_4d } = this.#functions;
    const bytes = (values: number) => ggml_row_size(tensor.type, values);
    const [second, third, fourth] = more;
    const strides = [bytes(width), bytes(width * second), bytes(width * second * third)] as const;
    const context = this.context;
    const pointer = ggml_view_4d(context, tensor.pointer, count, second, third, fourth, ...strides, bytes(from));
    return { ...tensor, pointer, shape: [count, second, third, fourth], whole: count === width };
  }

  /** `count` rows of [width, n] from `from` on. */
  part(rows: Tensor, from: number, count: number): Tensor {
    const [width, height, third, fourth] = rows.shape;
    const fits = rows.whole && third === 1 && fourth === 1 && from >= 0 && count > 0 && from + count <= height;
    mustHold(fits, `${count} rows from ${from}`, rows);
    const { ggml_row_size, ggml_view_4d } = this.#functions;
    const bytes = (lines: number) => ggml_row_size(rows.type, width * lines);
    const strides = [bytes(1), bytes(count), bytes(count)] as const;
    const pointer = ggml_view_4d(this.context, rows.pointer, width, count, 1, 1, ...strides, bytes(from));
    return { ...rows, pointer, shape: [width, count, 1, 1] };
  }

  /** Rows of a table [width, n] by their numbers. */
  rows(table: Tensor, numbers: Tensor): Tensor {
    mustHold(
      numbers.type === tensorTypes.i32 && numbers.shape[1] === table.shape[2],
      'a choice of rows',
      table,
      numbers,
    );
    const pointer = this.#functions.ggml_get_rows(this.context, table.pointer, numbers.pointer);
    return whole(pointer, [table.shape[0], ...numbers.shape.slice(0, 3)]);
  }

  cast(tensor: Tensor, type: number): Tensor {
    const pointer = this.#functions.ggml_cast(this.context, tensor.pointer, type);
    return { pointer, shape: tensor.shape, type, whole: true };
  }

  concat(left: Tensor, right: Tensor, extent: 0 | 1 | 2 | 3): Tensor {
    const same = left.shape.every((length, place) => place === extent || length === right.shape[place]);
    mustHold(same && left.type === right.type, 'one behind the other', left, right);
    const pointer = this.#functions.ggml_concat(this.context, left.pointer, right.pointer, extent);
    const shape = left.shape.map((length, place) => (place === extent ? length + right.shape[extent] : length));
    return { pointer, shape: shapeOf(shape), type: left.type, whole: true };
  }

  /** `strides`: places in the memory of `tensor`, in values, from one to the next of the second, third and fourth extent. */
  view(tensor: Tensor, extents: readonly number[], strides: readonly [number, number, number], from = 0): Tensor {
    const shape = shapeOf(extents);
    const [width, ...more] = shape;
    const last = more.reduce((sum, length, place) => sum + (length - 1) * (strides[place] ?? 0), from + width - 1);
    mustHold(tensor.whole && from >= 0 && last < countOf(tensor.shape), `a view of ${extents.join(' x ')}`, tensor);
    const { ggml_row_size, ggml_view_4d } = this.#functions;
    const bytes = (values: number) => ggml_row_size(tensor.type, values);
    const [second, third, fourth] = strides.map(bytes);
    const pointer = ggml_view_4d(
      this.context,
      tensor.pointer,
      ...shape,
      second ?? 0,
      third ?? 0,
      fourth ?? 0,
      bytes(from),
    );
    return { pointer, shape, type: tensor.type, whole: false };
  }

  softMax(scores: Tensor, mask: Tensor | undefined, scale: number): Tensor {
    if (mask) mustHold(mask.shape[0] === scores.shape[0] && mask.shape[1] >= scores.shape[1], 'a mask', scores, mask);
    const { ggml_soft_max_ext } = this.#functions;
    return like(scores, ggml_soft_max_ext(this.context, scores.pointer, mask?.pointer ?? null, scale, 0));
  }

  /** `q` [head, rows, heads], `k` and `v` the same in F16: [head, heads, rows]. */
  flashAttention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | undefined, scale: number): Tensor {
    const fits = q.shape[0] === k.shape[0] && k.shape[1] === v.shape[1] && q.shape[2] % k.shape[2] === 0;
    mustHold(fits && k.shape[2] === v.shape[2], 'attention', q, k, v);
    const { ggml_flash_attn_ext } = this.#functions;
    const context = this.context;
    const pointer = ggml_flash_attn_ext(context, q.pointer, k.pointer, v.pointer, mask?.pointer ?? null, scale, 0, 0);
    return whole(pointer, [v.shape[0], q.shape[2], q.shape[1], q.shape[3]]);
  }

  /** `kernel` [width, height, channels, out] over an image [width, height, channels] without overlap. */
  patches(kernel: Tensor, image: Tensor): Tensor {
    const [side, high, channels, out] = kernel.shape;
    const [width, height, depth, count] = image.shape;
    mustHold(side === high && channels === depth && width >= side && height >= side, 'patches', kernel, image);
    const { ggml_conv_2d } = this.#functions;
    const pointer = ggml_conv_2d(this.context, kernel.pointer, image.pointer, side, side, 0, 0, 1, 1);
    return whole(pointer, [Math.floor(width / side), Math.floor(height / side), out, count]);
  }

  /** Squares of an image [width, height, channels], each a row [side * side * channels, columns, lines]. */
  squares(image: Tensor, side: number): Tensor {
    const [width, height, depth, count] = image.shape;
    mustHold(image.whole && count === 1 && width >= side && height >= side, `squares of ${side}`, image);
    const { ggml_im2col, ggml_view_3d } = this.#functions;
    const context = this.context;
    // Only the extents of a kernel are read.
    const kernel = ggml_view_3d(context, image.pointer, side, side, depth, 0, 0, 0);
    const pointer = ggml_im2col(context, kernel, image.pointer, side, side, 0, 0, 1, 1, true, tensorTypes.f32);
    return whole(pointer, [side * side * depth, Math.floor(width / side), Math.floor(height / side)]);
  }

  averagePool(tensor: Tensor, side: number): Tensor {
    const [width, height, third, fourth] = tensor.shape;
    mustHold(width >= side && height >= side, `pooling by ${side}`, tensor);
    const { ggml_pool_2d } = this.#functions;
    const pointer = ggml_pool_2d(this.context, tensor.pointer, averageOfPool, side, side, side, side, 0, 0);
    return whole(pointer, [Math.floor(width / side), Math.floor(height / side), third, fourth]);
  }

  /** The first two extents scaled. */
  interpolate(tensor: Tensor, width: number, height: number, mode: number): Tensor {
    const [, , third, fourth] = tensor.shape;
    const { ggml_interpolate } = this.#functions;
    const pointer = ggml_interpolate(this.context, tensor.pointer, width, height, third, fourth, mode);
    return whole(pointer, [width, height, third, fourth]);
  }

  /** Turns [head, heads, rows] by positions [rows]. */
  rope(tensor: Tensor, positions: Tensor, { dimensions, mode, base, scale = 1, from = 0 }: RopeOptions): Tensor {
    const fits = positions.shape[0] === tensor.shape[2] && from + dimensions <= tensor.shape[0];
    mustHold(fits, 'positions', tensor, positions);
    const { ggml_rope_ext, ggml_rope_set_offset } = this.#functions;
    const context = this.context;
    const spread = [0, base, scale, 0, 1, 0, 0] as const;
    const pointer = ggml_rope_ext(context, tensor.pointer, positions.pointer, null, dimensions, mode, ...spread);
    if (from > 0) ggml_rope_set_offset(pointer, from);
    return { ...tensor, pointer, whole: true };
  }

  /** The same by four positions for each row, in `sections` of the head. */
  ropeMulti(tensor: Tensor, positions: Tensor, sections: Int32Array, options: RopeOptions): Tensor {
    const { dimensions, mode, base, scale = 1 } = options;
    mustHold(
      positions.shape[0] === 4 * tensor.shape[2] && dimensions <= tensor.shape[0],
      'positions',
      tensor,
      positions,
    );
    const { ggml_rope_multi } = this.#functions;
    const spread = [base, scale, 0, 1, 0, 0] as const;
    const turned = [tensor.pointer, positions.pointer, null, dimensions, sections, mode, ropeContext] as const;
    return { ...tensor, pointer: ggml_rope_multi(this.context, ...turned, ...spread), whole: true };
  }

  /** For operations that are described elsewhere in this room. */
  get context(): Pointer {
    return this.#space.pointer;
  }

  free(): void {
    this.#space.free();
  }
}

/** GGML_OP_POOL_AVG. */
export const averageOfPool = 1;
/** Of no effect without YaRN. */
const ropeContext = 32768;

export function whole(pointer: Pointer, extents: readonly number[]): Tensor {
  return { pointer, shape: shapeOf(extents), type: tensorTypes.f32, whole: true };
}

function like(tensor: Tensor, pointer: Pointer): Tensor {
  return { ...tensor, pointer, whole: true };
}

/** Whether `small` can be repeated to the extents of `large`. */
function repeats(small: Tensor, large: Tensor): boolean {
  return large.shape.every((extent, place) => extent % (small.shape[place] ?? 1) === 0);
}

export type { Tensor };
