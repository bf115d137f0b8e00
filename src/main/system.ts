import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timers } from '../contract/services.ts';
import type { Tuning, TuningMemory } from '../engine/llama/tune.ts';

/** Time, ids and randomness: made here, handed to every room. */
export interface System {
  /** Milliseconds, monotonic. */
  readonly clock: Clock;
  readonly unixMilliseconds: () => number;
  readonly timers: Timers;
  /** 32 random hex digits. */
  readonly newId: () => string;
  /** 0 to 2^32 - 1. */
  readonly drawSeed: () => number;
}

export const realSystem: System = {
  clock: () => performance.now(),
  unixMilliseconds: () => Date.now(),
  timers: {
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      timer.unref();
      return () => clearTimeout(timer);
    },
  },
  newId: () => randomBytes(16).toString('hex'),
  drawSeed: () => randomInt(0, 2 ** 32),
};

/** Calibrations of earlier starts in one small file. A file that cannot be read or written costs a second, nothing else. */
export function createTuningMemory(path: string): TuningMemory {
  const readAll = (): Record<string, Tuning> => {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as Record<string, Tuning>;
    } catch {
      return {};
    }
  };
  return {
    read(key) {
      const tuning = readAll()[key];
      return tuning && Object.values(tuning.threads).every((count) => Number.isInteger(count) && count > 0)
        ? tuning
        : undefined;
    },
    write(key, tuning) {
      try {
        mkdirSync(dirname(path), { recursive: true });
        const temporary = `${path}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify({ ...readAll(), [key]: tuning }));
        renameSync(temporary, path);
      } catch {
        // A read-only home: the next start measures again.
      }
    },
  };
}
