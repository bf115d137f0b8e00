import { averageOfPool, type Graph, type Tensor, whole } from './graph.ts';
import { mustHold, tensorTypes } from './tensors.ts';

/** Of ggml's operations on pictures and lines of values, with what they assert. */

/**
 * `kernel` [width, in, out] along lines [n, in], with half a kernel of zeros before and behind: [n / stride, out]. Kernel
 * and lines are rounded to F16, as ggml does it.
 */
export function convolveLines(graph: Graph, kernel: Tensor, lines: Tensor, stride: number): Tensor {
  const [width, inputs, out, fourth] = kernel.shape;
  const [length, depth, third, count] = lines.shape;
  const fits = inputs === depth && fourth === 1 && third === 1 && count === 1 && lines.whole;
  mustHold(fits && isFloat(kernel) && length + 2 * Math.floor(width / 2) >= width, 'a line', kernel, lines);
  const { ggml_conv_1d_ph } = graph.library.functions;
  const pointer = ggml_conv_1d_ph(graph.context, kernel.pointer, lines.pointer, stride, 1);
  return whole(pointer, [places(length, width, stride, Math.floor(width / 2)), out]);
}

interface Steps {
  readonly stride: number;
  /** Zeros on all sides. */
  readonly padding: number;
}

/** `kernel` [width, height, in, out] over pictures [width, height, in, n]. Both are rounded to F16, as ggml does it. */
export function convolve(graph: Graph, kernel: Tensor, pictures: Tensor, steps: Steps): Tensor {
  const [width, height, inputs, out] = kernel.shape;
  mustHold(inputs === pictures.shape[2] && fits(kernel, pictures, steps), 'a convolution', kernel, pictures);
  const { ggml_conv_2d } = graph.library.functions;
  const { stride: s, padding: p } = steps;
  const pointer = ggml_conv_2d(graph.context, kernel.pointer, pictures.pointer, s, s, p, p, 1, 1);
  return whole(pointer, [...extents(pictures, [width, height], steps), out, pictures.shape[3]]);
}

function fits(kernel: Tensor, pictures: Tensor, { padding }: Steps): boolean {
  const enough = [0, 1].every((place) => (pictures.shape[place] ?? 0) + 2 * padding >= (kernel.shape[place] ?? 1));
  return enough && isFloat(kernel) && pictures.type === tensorTypes.f32;
}

function extents(pictures: Tensor, kernel: readonly number[], { stride, padding }: Steps): number[] {
  return kernel.map((width, place) => places(pictures.shape[place] ?? 0, width, stride, padding));
}

/** Means of each `count` values along the first extent. */
export function averageLines(graph: Graph, lines: Tensor, count: number): Tensor {
  const [length, ...more] = lines.shape;
  mustHold(lines.whole && length >= count, `means of ${count}`, lines);
  const { ggml_pool_1d } = graph.library.functions;
  const pointer = ggml_pool_1d(graph.context, lines.pointer, averageOfPool, count, count, 0);
  return whole(pointer, [Math.floor((length - count) / count) + 1, ...more]);
}

function places(length: number, width: number, stride: number, padding: number): number {
  return Math.floor((length + 2 * padding - width) / stride) + 1;
}

function isFloat({ type }: Tensor): boolean {
  return type === tensorTypes.f32 || type === tensorTypes.f16;
}
