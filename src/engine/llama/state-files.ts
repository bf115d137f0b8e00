import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { StateFiles } from '../engine.ts';
import type { NativeContext } from './native.ts';
import type { Slot } from './slot.ts';
import type { StepLoop } from './step-loop.ts';

export interface StateFileOptions {
  readonly context: NativeContext;
  readonly slots: readonly Slot[];
  readonly loop: StepLoop;
  /** Tokens per slot. */
  readonly contextSize: number;
  readonly fingerprint: string;
}

/** The native library's own state files. It checks little of what it reads: only files that are known whole may come here. */
export function createStateFiles({ context, slots, loop, contextSize, fingerprint }: StateFileOptions): StateFiles {
  const find = (id: number): Slot => {
    const slot = slots[id];
    if (!slot) throw new RangeError(`There is no slot ${id}.`);
    return slot;
  };
  return {
    fingerprint,
    write: (id, path) =>
      loop.between(async () => {
        const slot = find(id);
        const written = await context.saveSequenceStateToFile(path, slot.id, Uint32Array.from(slot.tokens));
        // What still lay in the library's buffer when the disk became full is lost without an error.
        const { size } = await stat(path);
        if (size !== written) throw new Error(`Of ${written} bytes, ${path} holds ${size}. Is the disk full?`);
      }),
    read: (id, path) =>
      loop.between(async () => {
        const slot = find(id);
        if (slot.run) return false;
        slot.clear();
        try {
          slot.adopt([...(await context.loadSequenceStateFromFile(path, slot.id, contextSize))]);
          return true;
        } catch {
          slot.clear();
          return false;
        }
      }),
  };
}

const samples = 32;
const sampleBytes = 65_536;

/**
 * Names a state's origin: evenly spread samples of the model file (all of it would take seconds to read; two trainings
 * of one model differ everywhere) and whatever else shapes the state.
 */
export async function stateFingerprint(modelPath: string, shape: readonly unknown[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(shape));
  const file = await open(modelPath);
  try {
    const { size } = await file.stat();
    hash.update(`${size}`);
    const buffer = Buffer.alloc(sampleBytes);
    for (let sample = 0; sample < samples; sample++) {
      const position = Math.floor((Math.max(0, size - sampleBytes) * sample) / (samples - 1));
      const { bytesRead } = await file.read(buffer, 0, sampleBytes, position);
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex').slice(0, 32);
}
