import type { Clock } from '../contract/services.ts';
import type { EngineStats } from '../engine/engine.ts';
import { assumedRates } from './waits.ts';

/** What evaluating and moving tokens costs, in milliseconds, from measurements of this machine. */
export interface CostModel {
  /** Milliseconds to evaluate one token, as measured up to now. */
  tokenMs(): number;
  transferMs(bytes: number): number;
  /** Runs a transfer and learns from the time it took. */
  measured<Result>(bytes: number, transfer: () => Promise<Result>): Promise<Result>;
}

/** Assumed until something was moved: plain memory, and one step to wait for. */
const assumedBytesPerMs = 500_000;
const fixedMs = 2;
/** Weight of the newest measurement. A slow one may only have waited for a long step. */
const learning = { faster: 0.5, slower: 0.1 };
/** Smaller transfers say more about waiting for a step than about bytes. */
const telling = 1_000_000;

export function createCostModel(stats: () => EngineStats, clock: Clock): CostModel {
  let bytesPerMs = assumedBytesPerMs;
  return {
    tokenMs: () => 1000 / (stats().prefillRate || assumedRates.prefillRate),
    transferMs: (bytes) => fixedMs + bytes / bytesPerMs,
    measured: async (bytes, transfer) => {
      const startedAt = clock();
      const result = await transfer();
      const took = clock() - startedAt;
      if (bytes < telling || took <= 0) return result;
      const rate = bytes / took;
      bytesPerMs += (rate > bytesPerMs ? learning.faster : learning.slower) * (rate - bytesPerMs);
      return result;
    },
  };
}
