import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Sketch } from '../support/sketch.ts';
import type { Attention } from './expected.ts';

/** What llama.cpp's multimodal library makes of a sound; written by scripts/media/make-expected.ts. */
export interface ExpectedSound {
  /** Of the prompt `a<sound>b`. */
  readonly chunks: readonly ExpectedSoundChunk[];
  /** Greedy tokens of the tiny model behind that prompt. */
  readonly answer: readonly number[];
  readonly spectrograms: readonly { readonly frames: number; readonly bands: number; readonly sketch: Sketch }[];
}

export type ExpectedSoundChunk = { readonly tokens: readonly number[] } | ExpectedSoundRows;

export interface ExpectedSoundRows {
  readonly rows: number;
  /** By how much positions go on. */
  readonly advance: number;
  readonly sketch: Sketch;
}

export function readExpectedSounds(name: string): Record<Attention, Record<string, ExpectedSound>> {
  return JSON.parse(readFileSync(resolve(import.meta.dirname, `expected-sounds/${name}.json`), 'utf8'));
}
