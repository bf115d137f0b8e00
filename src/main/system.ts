import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock, Timers } from '../contract/services.ts';
import { systemTimers } from '../contract/system-timers.ts';
import type { Tuning, TuningMemory } from '../engine/tuning.ts';

/** Time, ids and randomness: made here, handed to every room. */
export interface System {
  /** Milliseconds, monotonic. */
  readonly clock: Clock;
  readonly unixMilliseconds: () => number;
  readonly timers: Timers;
  /** 32 random hex digits. */
  readonly newId: () => string;
  /** 0 to 2^32 - 2: the highest one would have the sampler draw its own, which nobody could tell. */
  readonly drawSeed: () => number;
}

export const realSystem: System = {
  clock: () => performance.now(),
  unixMilliseconds: () => Date.now(),
  timers: systemTimers,
  newId: () => randomBytes(16).toString('hex'),
  drawSeed: () => randomInt(0, 2 ** 32 - 1),
};

/** What is found out once and remembered between starts. Losing it costs time, nothing else. */
export function memoryFile(name: 'tuning.json' | 'sound-models.json' | 'sound-templates.json'): string {
  return join(homedir(), '.cache', 'serve-model', name);
}

/** Calibrations of earlier starts. */
export function createTuningMemory(path: string): TuningMemory {
  const file = createJsonFile<Record<string, Tuning>>(path, {});
  return {
    read(key) {
      const tuning = file.read()[key];
      return tuning && Object.values(tuning.threads).every((count) => Number.isInteger(count) && count > 0)
        ? tuning
        : undefined;
    },
    write: (key, tuning) => file.write({ ...file.read(), [key]: tuning }),
  };
}

const mostRemembered = 1000;

/** A set of words that outlives the process; the oldest are forgotten. */
export function createFileMemory(path: string): { has(word: string): boolean; add(word: string): void } {
  const file = createJsonFile<readonly string[]>(path, []);
  return {
    has: (word) => file.read().includes(word),
    add: (word) => file.write([...file.read().filter((other) => other !== word), word].slice(-mostRemembered)),
  };
}

/** One small file. When it cannot be read or written, what it remembers is found out again, nothing else. */
function createJsonFile<Content extends object>(path: string, empty: Content) {
  return {
    read(): Content {
      try {
        const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
        // Only this server writes the file; what matters is that nothing of another shape gets through.
        return typeof content === 'object' && Array.isArray(content) === Array.isArray(empty) && content !== null
          ? (content as Content)
          : empty;
      } catch {
        return empty;
      }
    },
    write(content: Content): void {
      try {
        // In two steps: Node's `recursive` never ends in a home like /proc, see makeFolder.
        for (const folder of [dirname(dirname(path)), dirname(path)]) if (!existsSync(folder)) mkdirSync(folder);
        const temporary = `${path}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify(content));
        renameSync(temporary, path);
      } catch {
        // A read-only home.
      }
    },
  };
}
