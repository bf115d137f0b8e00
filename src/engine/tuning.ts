import type { ThreadPlan } from './thread-plan.ts';

/** How a model runs best on this machine. */
export interface Tuning {
  readonly threads: ThreadPlan;
  readonly flashAttention: boolean | 'auto';
  /** `given` by flags, `measured` now, `remembered` from an earlier start, or the `library`'s own choice on GPUs. */
  readonly origin: 'given' | 'measured' | 'remembered' | 'library';
  readonly figures?: CalibrationFigures & { readonly depth?: AttentionFigures };
}

/**
 * Milliseconds per batch by thread count, for the log and the statistics: the lower quartile, since another program on the
 * machine makes rounds longer, never shorter.
 */
export interface CalibrationFigures {
  readonly single: Readonly<Record<string, number>>;
  readonly batched: Readonly<Record<string, number>>;
  readonly prefill: Readonly<Record<string, number>>;
}

/** Milliseconds, after as many tokens as the context was filled with. */
export interface DepthFigures {
  readonly decodeStep: number;
  readonly promptToken: number;
}

/** With and without flash attention. */
export interface AttentionFigures {
  readonly with: DepthFigures;
  readonly without: DepthFigures;
}

/** Tunings of earlier starts, per model and machine. */
export interface TuningCache {
  read(key: string): Tuning | undefined;
  write(key: string, tuning: Tuning): void;
}

/** Kept in one file. */
export function createTuningCache(file: {
  read(): Readonly<Record<string, Tuning>>;
  write(content: Readonly<Record<string, Tuning>>): void;
}): TuningCache {
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
