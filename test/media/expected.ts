import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What llama.cpp's multimodal library makes of an image; written by scripts/media/make-expected.ts. */
export interface ExpectedImage {
  /** Of the prompt `a<image>b`. */
  readonly chunks: readonly ExpectedChunk[];
  /** Greedy tokens of the tiny model behind that prompt. */
  readonly answer: readonly number[];
}

export type ExpectedChunk = { readonly tokens: readonly number[] } | ExpectedRows;

export interface ExpectedRows {
  readonly rows: number;
  /** By how much positions go on. */
  readonly advance: number;
  readonly columns: number;
  readonly lines: number;
  /** Of all values. */
  readonly norm: number;
  /** Every 16th row from the first on, 32-bit floats in base64. */
  readonly sample: string;
}

export type Attention = 'flash' | 'full';
export type Expected = Record<Attention, Record<string, ExpectedImage>>;

export function readExpected(name: string): Expected {
  return JSON.parse(readFileSync(resolve(import.meta.dirname, `expected/${name}.json`), 'utf8'));
}

const step = 16;

export function sampleRows(values: Float32Array, width: number): number[] {
  const rows = values.length / width;
  return Array.from({ length: Math.ceil(rows / step) }, (_, at) => [
    ...values.subarray(at * step * width, (at * step + 1) * width),
  ]).flat();
}
