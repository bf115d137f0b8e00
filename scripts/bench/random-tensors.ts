import type { RandomBits } from '../../src/bench/random-bits.ts';
import type { TensorType } from './gguf.ts';
import { blocks, sizeOf } from './gguf.ts';

/** Standard deviation of the integers that random bits make in a block: 16 values from -8 to 7, 256 from -128 to 127. */
const spread = { Q4_0: 4.61, Q8_0: 73.9 } as const;

/** Random weights with mean 0 and the standard deviation given, as ready quantized blocks: a 16-bit scale, then integers. */
export function randomWeights(
  bits: RandomBits,
  shape: readonly number[],
  type: 'Q4_0' | 'Q8_0',
  deviation: number,
): Buffer {
  const bytes = bits.fill(sizeOf(shape, type));
  const scale = toHalf(deviation / spread[type]);
  // The integers' own mean is -0.5. Half of the scales are negative, so that it cancels out: otherwise all rows would
  // pull into one direction, and after some layers every hidden state would be that direction.
  for (let at = 0; at < bytes.length; at += blocks[type].bytes)
    bytes.writeUInt16LE(bits.next() & 1 ? scale : scale | 0x8000, at);
  return bytes;
}

export function constant(shape: readonly number[], value: number): Buffer {
  const values = new Float32Array(sizeOf(shape, 'F32') / 4).fill(value);
  return Buffer.from(values.buffer);
}

export type QuantizedType = Exclude<TensorType, 'F32' | 'F16'>;

/** Numbers as 16-bit floats, rounded towards zero; those that are too small for a normal one become zero. */
export function halves(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) {
    const size = Math.abs(value);
    if (size >= smallestHalf) bytes.writeUInt16LE(toHalf(size) | (value < 0 ? 0x8000 : 0), 2 * index);
  }
  return bytes;
}

const smallestHalf = 2 ** -14;

/** A positive number in the range of normal halves (6e-5 to 65504) as the bits of a 16-bit float, rounded down. */
export function toHalf(value: number): number {
  const exponent = Math.floor(Math.log2(value));
  if (!(exponent >= -14 && exponent <= 15)) throw new RangeError(`${value} is no normal 16-bit float.`);
  const mantissa = Math.floor((value / 2 ** exponent - 1) * 1024);
  return ((exponent + 15) << 10) | mantissa;
}
