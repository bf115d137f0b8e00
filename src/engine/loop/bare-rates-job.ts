import { writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { CacheType } from '../../contract/model-settings.ts';
import type { Clock } from '../../contract/services.ts';
import { Model } from '../../native/model.ts';
import { openLibrary } from '../../native/open-library.ts';
import { ThreadPools } from '../../native/thread-pools.ts';
import type { WeightsWish } from '../load-options.ts';
import { type BareLength, type BareRound, bareRounds } from './bare-rates.ts';
import { bestSettings } from './best-settings.ts';

/** What a child process measures, as JSON. */
export interface BareRatesJob {
  readonly weights: Omit<WeightsWish, 'adapters'>;
  /** Undefined: the best of a few. */
  readonly threads: number | undefined;
  readonly flashAttention: boolean | undefined;
  readonly batchSize: number;
  readonly keyType: CacheType | undefined;
  readonly valueType: CacheType | undefined;
  readonly lengths: readonly NamedLength[];
}

export interface NamedLength extends BareLength {
  readonly name: string;
}

/** A line of what it writes. */
export interface BareRatesLine extends BareRound {
  readonly name: string;
}

/** As the requests are asked for. */
const greedy = {
  ...{ temperature: 0, topK: 40, topP: 0.95, minP: 0.05, seed: 1 },
  ...{ repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0 },
};

/** In the child: writes a line to stdout for each round of each length. */
export function runBareRates({ weights, lengths, threads, flashAttention, ...how }: BareRatesJob, clock: Clock): void {
  const library = openLibrary(weights.library, { verbose: weights.verbose ?? false });
  const model = Model.load(library, weights.path, weights.parameters);
  const loop = { ...how, library, model, pools: new ThreadPools(library), sampling: greedy, clock };
  const cores = availableParallelism();
  const counts = threads === undefined ? [...new Set([1, Math.ceil(cores / 2), cores])] : [threads];
  const settings = bestSettings(loop, {
    // Where GPUs compute, threads wait.
    threads: model.onGpu && threads === undefined ? [cores] : counts,
    flashAttention: flashAttention === undefined ? [true, false] : [flashAttention],
  });
  for (const { name, ...length } of lengths) {
    for (const round of bareRounds({ ...loop, ...settings }, length)) {
      writeSync(1, `${JSON.stringify({ name, ...round } satisfies BareRatesLine)}\n`);
    }
  }
}
