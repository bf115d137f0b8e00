import type { SchedulerObserver } from './admission.ts';

export interface SchedulerStats {
  readonly slots: number;
  /** Waiting for a slot. */
  readonly queued: number;
  /** On a slot, bringing in their prompt's state. */
  readonly preparing: number;
  /** With a lease. */
  readonly running: number;
  readonly admitted: number;
  readonly refused: { readonly full: number; readonly timeout: number; readonly draining: number };
  /** Running average of the wait for a lease; undefined before the first. */
  readonly averageQueueMs: number | undefined;
  /** Prompt tokens since the start: found in the slot, brought in from another one or from a snapshot, to evaluate. */
  readonly prefixTokens: {
    readonly hit: number;
    readonly copied: number;
    readonly restored: number;
    readonly missed: number;
  };
  readonly snapshots: number;
  readonly snapshotBytes: number;
}

/** Weight of the newest request in the running averages. */
const learning = 0.1;
/** Expected output tokens of a request before any has ended. */
const firstGuess = 256;

/** Counts and averages since the start. */
export class StatsBook {
  #admitted = 0;
  #refused = { full: 0, timeout: 0, draining: 0 };
  #queueMs: number | undefined;
  #outputTokens: number | undefined;
  #prefix = { hit: 0, copied: 0, restored: 0, missed: 0 };

  admitted({ queueMs, promptTokens, reusedTokens, source }: Parameters<SchedulerObserver['admitted']>[0]): void {
    this.#admitted++;
    this.#queueMs = average(this.#queueMs, queueMs);
    this.#prefix.missed += promptTokens - reusedTokens;
    const kind = source === 'copy' ? 'copied' : source === 'snapshot' ? 'restored' : 'hit';
    this.#prefix[kind] += reusedTokens;
  }

  refused(cause: 'full' | 'timeout' | 'draining'): void {
    this.#refused[cause]++;
  }

  released({ outputTokens }: { readonly outputTokens: number }): void {
    this.#outputTokens = average(this.#outputTokens, outputTokens);
  }

  /** What a request with this limit will probably generate, from what others did. */
  expectedOutput(maxTokens: number): number {
    return Math.min(maxTokens, Math.ceil(this.#outputTokens ?? firstGuess));
  }

  stats(
    now: Pick<SchedulerStats, 'slots' | 'queued' | 'preparing' | 'running' | 'snapshots' | 'snapshotBytes'>,
  ): SchedulerStats {
    return {
      admitted: this.#admitted,
      refused: { ...this.#refused },
      averageQueueMs: this.#queueMs,
      prefixTokens: { ...this.#prefix },
      ...now,
    };
  }
}

function average(before: number | undefined, value: number): number {
  return before === undefined ? value : before + learning * (value - before);
}
