import { type BareLoop, bareRounds } from './bare-rates.ts';

export interface LoopChoices {
  readonly threads: readonly number[];
  readonly flashAttention: readonly boolean[];
}

/** Of the choices, those with which a few steps of one stream took least time; the only ones where there is no choice. */
export function bestSettings(
  loop: Omit<BareLoop, 'threads' | 'flashAttention'>,
  { threads, flashAttention }: LoopChoices,
): Pick<BareLoop, 'threads' | 'flashAttention'> {
  const all = flashAttention.flatMap((attention) =>
    threads.map((count) => ({ threads: count, flashAttention: attention })),
  );
  const timed = all.map((choice) => {
    if (all.length === 1) return { choice, ms: 0 };
    const rounds = bareRounds({ ...loop, ...choice }, { streams: 1, depth: 16, tokens: 4, rounds: 1, warmUp: 2 });
    return { choice, ms: Math.min(...[...rounds].map(({ decodeMs }) => decodeMs)) };
  });
  const [best] = timed.toSorted((one, other) => one.ms - other.ms);
  if (!best) throw new RangeError('There is nothing to choose from.');
  return best.choice;
}
