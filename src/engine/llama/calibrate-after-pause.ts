import type { OneThreadCosts } from '../after-pause.ts';
import { median } from '../thread-plan.ts';
import {
  type Calibration,
  type CalibrationOptions,
  createSampler,
  decodeOnce,
  manySequences,
  prefillPiece,
  rounded,
} from './calibrate.ts';

/** Milliseconds of the first batches after a pause. */
export interface PauseFigures {
  readonly alone: number;
  readonly together: number;
}

export interface PauseCalibration {
  readonly figures: PauseFigures;
  /** Where one thread alone is clearly quicker. */
  readonly costs: OneThreadCosts | undefined;
}

export interface PauseOptions extends CalibrationOptions {
  readonly pause: (milliseconds: number) => Promise<void>;
}

const rounds = 3;
const pauseMs = 60;
const batchesBehindPause = 5;
/** Batches of bigger models outlast the moments that this is about, and would make a start long. */
const longestBatchMs = 25;
/** On kernels that spread threads at once, several take less; where they do not, two to seven times as long. */
const clearLoss = 1.25;

/**
 * Whether the batches right behind a pause are quicker on one thread than on as many as are best otherwise, see
 * AfterPause. Undefined where that is not asked: one thread is the best anyway, or batches take long.
 */
export async function calibrateAfterPause(
  options: PauseOptions,
  { threads, figures }: Pick<Calibration, 'threads' | 'figures'>,
): Promise<PauseCalibration | undefined> {
  const alone = { prefill: figures.prefill['1'], batched: figures.batched['1'] };
  if (threads.prefill === 1 || alone.prefill === undefined || alone.batched === undefined) return undefined;
  if (alone.prefill > longestBatchMs) return undefined;
  const piece = Math.min(prefillPiece, options.batchSize);
  const sequences = Math.min(manySequences, options.slots);
  const sampler = createSampler(options);
  const behindPause = async (count: number) => {
    await options.pause(pauseMs);
    options.context.setThreads(count);
    const startedAt = options.clock();
    for (let batch = 0; batch < batchesBehindPause; batch++)
      await decodeOnce(options, { samplers: [sampler], tokens: piece });
    return options.clock() - startedAt;
  };
  try {
    const times = { alone: [] as number[], together: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.alone.push(await behindPause(1));
      times.together.push(await behindPause(threads.prefill));
    }
    const measured = { alone: rounded(median(times.alone)), together: rounded(median(times.together)) };
    const perToken = alone.prefill / piece;
    const perSequence = Math.max(0, alone.batched / sequences - perToken);
    return {
      figures: measured,
      costs: measured.together > measured.alone * clearLoss ? { perToken, perSequence } : undefined,
    };
  } finally {
    sampler.dispose();
  }
}
