/** The first `dimensions` members of the vector at Euclidean length 1. A vector of zeros stays one. */
export function toUnit(vector: readonly number[], dimensions: number = vector.length): number[] {
  const kept = vector.slice(0, dimensions);
  const length = Math.sqrt(kept.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? kept : kept.map((value) => value / length);
}

/** 32-bit floats, little-endian, as base64: OpenAI's `encoding_format` base64. */
export function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  return bytes.toString('base64');
}
