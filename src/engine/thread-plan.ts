/** Threads per kind of batch, found by measuring. */
export interface ThreadPlan {
  /** One decoding sequence. */
  readonly single: number;
  /** Several decoding sequences. */
  readonly batched: number;
  /** Prompt pieces. */
  readonly prefill: number;
}

/** From so many tokens on a batch behaves like a prefill: bound by arithmetic, not by memory and call overhead. */
const prefillTokens = 16;

/** Threads for a batch of so many tokens, where it has more than one. */
export function severalThreads(plan: ThreadPlan, tokens: number): number {
  return tokens >= prefillTokens ? plan.prefill : plan.batched;
}

/** 1, 2, 4 ... up to all cores, the physical ones included; the likely best first, which the others must clearly beat. */
export function threadCandidates(cores: number, mathCores: number): number[] {
  const powers = [1, 2, 4, 8, 16, 32, 64].filter((count) => count < cores);
  return [...new Set([mathCores, cores, ...powers.reverse()])].filter((count) => count >= 1 && count <= cores);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
}

export function lowerQuartile(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 4)] ?? Number.POSITIVE_INFINITY;
}
