import { readFileSync, writeFileSync } from 'node:fs';
import type { RunSampling } from '../../src/engine/loop/run-sampler.ts';

/** Sampling that samples nothing and remembers what it is told. */
export function recordedSampling(): RunSampling & { readonly calls: readonly unknown[] } {
  const calls: unknown[] = [];
  return {
    calls,
    grammarActive: false,
    setGrammar: (text) => void calls.push(['setGrammar', text]),
    accept: (token) => void calls.push(['accept', token]),
    free: () => void calls.push(['free']),
    sample: unwanted,
    sampleFrom: unwanted,
    logits: unwanted,
    logprob: unwanted,
  };
}

function unwanted(): never {
  throw new Error('Nothing is sampled here.');
}

/**
 * Sequences of positions as a native context keeps them. Its state is text: `3` for three positions, `~3` for the part of
 * it that cannot be cut.
 */
export class FakeMemory {
  readonly unified: boolean;
  /** Positions of each sequence. */
  readonly lengths: number[];
  readonly calls: string[] = [];
  /** Names of what is refused. */
  readonly refuses = new Set<'cut' | 'restoreState' | 'readState'>();

  constructor(sequences: number, { unified = false } = {}) {
    this.unified = unified;
    this.lengths = Array<number>(sequences).fill(0);
  }

  /** Sequences whose memory holds what is no number, though it may be in nobody's use. */
  readonly spoilt = new Set<number>();

  wipe(): void {
    this.calls.push('wipe');
    this.spoilt.clear();
    this.lengths.fill(0);
  }

  cut(sequence: number, from: number): boolean {
    this.calls.push(`cut ${sequence} ${from}`);
    if (this.refuses.has('cut')) return false;
    this.lengths[sequence] = Math.min(from, this.lengths[sequence] ?? 0);
    return true;
  }

  clear(sequence: number): void {
    this.calls.push(`clear ${sequence}`);
    this.lengths[sequence] = 0;
  }

  lastPosition(sequence: number): number {
    return (this.lengths[sequence] ?? 0) - 1;
  }

  saveState(sequence: number, partial = false): Uint8Array {
    return Buffer.from(`${partial ? '~' : ''}${this.lengths[sequence]}`);
  }

  restoreState(sequence: number, state: Uint8Array, partial = false): boolean {
    const text = Buffer.from(state).toString();
    this.calls.push(`restore ${sequence} ${text}`);
    if (this.refuses.has('restoreState') || text.startsWith('~') !== partial) return false;
    if (!partial) this.lengths[sequence] = Number(text);
    return true;
  }

  shareBeginning(from: number, to: number, tokens: number): void {
    this.calls.push(`share ${from} ${to} ${tokens}`);
    this.lengths[to] = tokens;
  }

  writeState(sequence: number, path: string, tokens: readonly number[]): number {
    writeFileSync(path, tokens.join());
    this.calls.push(`write ${sequence}`);
    return tokens.join().length;
  }

  readState(sequence: number, path: string): readonly number[] | undefined {
    if (this.refuses.has('readState')) return undefined;
    const tokens = readFileSync(path, 'utf8').split(',').map(Number);
    this.lengths[sequence] = tokens.length;
    return tokens;
  }
}
