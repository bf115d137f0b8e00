/**
 * A long list of numbers in 32: sums with signs drawn by place, so that two lists lie as far from each other as their
 * sketches do, to a few tenths of that distance (Johnson and Lindenstrauss). What is compared is all of it, and what is kept
 * is small.
 */
export interface Sketch {
  readonly length: number;
  readonly norm: number;
  /** 32-bit floats in base64. */
  readonly sums: string;
}

const sums = 32;

export function sketchOf(values: Float32Array): Sketch {
  const kept = Float32Array.from(sumsOf(values));
  return { length: values.length, norm: normOf(values), sums: Buffer.from(kept.buffer).toString('base64') };
}

/** About |values - kept| / |kept|. */
export function distanceTo(values: Float32Array, kept: Sketch): number {
  if (values.length !== kept.length) return Number.POSITIVE_INFINITY;
  const bytes = Buffer.from(kept.sums, 'base64');
  const wanted = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const difference = sumsOf(values).map((sum, at) => sum - (wanted[at] ?? Number.NaN));
  return normOf(difference) / Math.sqrt(sums) / kept.norm;
}

function sumsOf(values: Float32Array): Float64Array {
  const found = new Float64Array(sums);
  let bits = 0x9e3779b9;
  for (const value of values) {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    for (let at = 0; at < sums; at++) found[at] = (found[at] ?? 0) + ((bits >>> at) & 1 ? value : -value);
  }
  return found;
}

function normOf(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
