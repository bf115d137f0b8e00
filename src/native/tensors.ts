import { GgmlType } from './functions.ts';
import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';

/** Extents, the one whose values follow one another in memory first; ggml has always four. */
export type Shape = readonly [number, number, number, number];

/** A tensor of a `Tensors` space, as long as that lives. Without data until a computation gives it some. */
export interface Tensor {
  readonly pointer: Pointer;
  readonly shape: Shape;
  /** ggml_type. */
  readonly type: number;
  /** Its values lie in memory in the order of its extents, without gaps. */
  readonly whole: boolean;
}

export const tensorTypes = { f32: GgmlType.F32, f16: GgmlType.F16, i32: GgmlType.I32 } as const;

export function shapeOf(extents: readonly number[]): Shape {
  const [first = 1, second = 1, third = 1, fourth = 1] = extents;
  return [first, second, third, fourth];
}

export function countOf([first, second, third, fourth]: Shape): number {
  return first * second * third * fourth;
}

/** Names a mistake before the library ends the process for it. */
export function mustHold(holds: boolean, operation: string, ...tensors: readonly Tensor[]): void {
  if (holds) return;
  const shapes = tensors.map(({ shape }) => shape.join(' x ')).join(' and ');
  throw new RangeError(`Tensors of ${shapes} do not fit ${operation}.`);
}

/** Room for the descriptions of tensors: their data lies elsewhere. */
export class Tensors extends Handle {
  readonly library: NativeLibrary;

  /** `most`: how many tensors, those of views and in between too. */
  constructor(library: NativeLibrary, most: number) {
    const { functions } = library;
    const size = most * functions.ggml_tensor_overhead() + functions.ggml_graph_overhead_custom(most, false);
    super('tensor space', functions.ggml_init({ mem_size: size, mem_buffer: null, no_alloc: true }));
    this.library = library;
  }

  create(type: number, extents: readonly number[]): Tensor {
    const shape = shapeOf(extents);
    if (shape.some((extent) => !Number.isSafeInteger(extent) || extent < 1)) {
      throw new RangeError(`There are no tensors of ${extents.join(' x ')}.`);
    }
    const pointer = this.library.functions.ggml_new_tensor_4d(this.pointer, type, ...shape);
    return { pointer, shape, type, whole: true };
  }

  protected release(pointer: Pointer): void {
    this.library.functions.ggml_free(pointer);
  }
}

/** Memory of a device with the data of all tensors of a space. */
export class TensorMemory extends Handle {
  readonly #library: NativeLibrary;

  /** Throws where the memory does not suffice. */
  constructor(space: Tensors, bufferType: Pointer) {
    const { functions } = space.library;
    const pointer = functions.ggml_backend_alloc_ctx_tensors_from_buft(space.pointer, bufferType);
    if (pointer === nullPointer) throw new Error('there is not enough memory for these weights');
    super('tensor memory', pointer);
    this.#library = space.library;
    functions.ggml_backend_buffer_set_usage(pointer, usageOfWeights);
  }

  protected release(pointer: Pointer): void {
    this.#library.functions.ggml_backend_buffer_free(pointer);
  }
}

/** GGML_BACKEND_BUFFER_USAGE_WEIGHTS: the scheduler computes where they lie. */
const usageOfWeights = 1;

/** Of a tensor that has memory; `offset` in bytes. */
export function writeTensor(library: NativeLibrary, { pointer }: Tensor, bytes: ArrayBufferView, offset = 0): void {
  const { functions } = library;
  const size = bytes.byteLength;
  if (offset + size > functions.ggml_nbytes(pointer))
    throw new RangeError(`${size} bytes are more than the tensor has.`);
  functions.ggml_backend_tensor_set(pointer, bytes, offset, size);
}

export function bytesOfTensor(library: NativeLibrary, { pointer }: Tensor): number {
  return library.functions.ggml_nbytes(pointer);
}
