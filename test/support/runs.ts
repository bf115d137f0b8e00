const times = Number(process.env.FUZZ_RUNS ?? 1);

/** So many runs of a random test; FUZZ_RUNS=10 makes ten times as many, best with FUZZ_SEED=random. */
export function runs(count: number): number {
  return Math.ceil(count * times);
}
