import type { Clock } from '../../contract/services.ts';
import { lowerQuartile, median, type ThreadPlan, threadCandidates } from '../thread-plan.ts';
import type { NativeBindings, NativeContext, NativeModel, NativeSampler } from './native.ts';

/**
 * Milliseconds per batch by thread count, for the log and the statistics: the lower quartile, since a probe or another
 * program on the machine makes rounds longer, never shorter.
 */
export interface CalibrationFigures {
  readonly single: Readonly<Record<string, number>>;
  readonly batched: Readonly<Record<string, number>>;
  readonly prefill: Readonly<Record<string, number>>;
}

export interface Calibration {
  /** The rounds agreed: nobody else was computing. */
  readonly steady: boolean;
  readonly threads: ThreadPlan;
  readonly figures: CalibrationFigures;
}

export interface CalibrationOptions {
  readonly context: NativeContext;
  readonly model: NativeModel;
  readonly bindings: NativeBindings;
  readonly slots: number;
  readonly batchSize: number;
  readonly cores: number;
  readonly mathCores: number;
  readonly clock: Clock;
  /** For all kinds of batches together; each ends at the first sensible moment after a third of it. */
  readonly budgetMs: number;
}

const rounds = 5;
/**
 * One thread count after the other has a turn; its first half is not counted. The cores that the other candidate did not
 * use have to wake up, and the kernel places threads by what cores did in the last tens of milliseconds: single steps
 * of a model of 24 layers measured 17 ms on 2 threads, in turns 12, as when serving.
 */
const turnMs = 60;
const stepsPerTurn = 3;
export const prefillPiece = 32;
export const manySequences = 8;
/** Another thread count must be this much better than the likely best one: noise decides nothing. */
const clearGain = 0.95;
/** On a quiet machine the median round takes 1.0 to 1.2 times the quickest. */
const unsteadyRatio = 1.5;

/**
 * Chooses threads by real decode steps with sampling, on the empty context that will serve. All cores is often wrong:
 * ggml's workers spin and fight the JavaScript thread and the sampling threads (a small model on 2 cores decoded 490
 * tokens a second with 1 thread, 100 with 2), while prefill and bigger models want them all.
 */
export async function calibrateThreads(options: CalibrationOptions): Promise<Calibration> {
  const { cores, mathCores, clock, budgetMs, slots, batchSize } = options;
  const candidates = threadCandidates(cores, mathCores);
  // Made once, as runs do: the memory of a new one, 1.8 MB for 152k tokens, took longer than the steps of a small model.
  const samplers = Array.from({ length: Math.min(manySequences, slots) }, () => createSampler(options));
  const measure = (sequences: number, tokens: number) => {
    const load = { samplers: samplers.slice(0, sequences), tokens };
    return fastest(options, candidates, { ...load, until: clock() + budgetMs / 3 });
  };
  try {
    // The library's own choice of threads can be more than there are cores: a step then takes seconds.
    options.context.setThreads(1);
    await decodeOnce(options, { samplers: samplers.slice(0, 1), tokens: 1 });
    // The shortest steps come last: right after a load the first hundreds of milliseconds are slower, with 2 threads on
    // 2 cores up to three times.
    const prefill = await measure(1, Math.min(prefillPiece, batchSize));
    const several = slots > 1 ? await measure(manySequences, 1) : undefined;
    const single = await measure(1, 1);
    const batched = several ?? single;
    // What helps fewer tokens helps more tokens too. Without this rule a noisy start once read prompts on half the cores.
    const batchedThreads = Math.max(single.best, batched.best);
    return {
      steady: single.steady && batched.steady && prefill.steady,
      threads: {
        single: single.best,
        batched: batchedThreads,
        prefill: Math.max(batchedThreads, prefill.best),
      },
      figures: { single: single.figures, batched: batched.figures, prefill: prefill.figures },
    };
  } finally {
    for (const sampler of samplers) sampler.dispose();
  }
}

/** Sampled as most clients ask for. */
export function createSampler({ bindings, model }: CalibrationOptions): NativeSampler {
  const sampler = new bindings.AddonSampler(model);
  sampler.applyConfig({ temperature: 0.8, topK: 40, seed: 1 });
  return sampler;
}

interface Step {
  /** One per sequence. */
  readonly samplers: readonly NativeSampler[];
  /** Tokens per sequence. */
  readonly tokens: number;
}

async function fastest(
  options: CalibrationOptions,
  candidates: readonly number[],
  load: Step & { readonly until: number },
) {
  const { context, clock } = options;
  const times = new Map<number, number[]>(candidates.map((threads) => [threads, []]));
  // Round by round over all candidates, so that a busy moment of the machine spoils none of them alone.
  for (let round = 0; round < rounds; round++) {
    for (const [threads, measured] of times) {
      if (round > 0 && (clock() > load.until || (round > 1 && hopeless(measured, times)))) continue;
      context.setThreads(threads);
      measured.push(...(await takeTurn(options, load)));
    }
  }
  const figures = Object.fromEntries(
    [...times].map(([threads, measured]) => [threads, rounded(lowerQuartile(measured))]),
  );
  const best = clearlyFastest(candidates, figures, options.cores);
  const chosen = times.get(best) ?? [];
  return { best, figures, steady: median(chosen) < Math.min(...chosen) * unsteadyRatio };
}

async function takeTurn(options: CalibrationOptions, load: Step & { readonly until: number }): Promise<number[]> {
  const { clock } = options;
  const startedAt = clock();
  const times: number[] = [];
  const enough = () => times.length >= stepsPerTurn && clock() - startedAt >= turnMs;
  while (times.length < 2 || (!enough() && clock() < load.until)) times.push(await decodeOnce(options, load));
  return times.slice(Math.floor(times.length / 2));
}

/**
 * In two rounds at its best more than twice as slow as another one at its best: not worth a third. One bad round says
 * nothing (see restWhileWorkersStart), but on a busy machine spinning workers take seconds.
 */
function hopeless(measured: readonly number[], times: ReadonlyMap<number, readonly number[]>): boolean {
  const best = Math.min(...[...times.values()].flat());
  return measured.length > 1 && Math.min(...measured) > 2 * best;
}

/**
 * Milliseconds a step may lose when ggml's threads take all cores, since they leave none for the JavaScript thread and
 * the clients, all of which are idle while this measures. On 2 cores a model of 2 layers measured 6.6 ms on 1 thread and
 * 5.6 on 2 for eight streams, and was served with 8.6 and 7.7; the bundled model, which measured 0.6 and 0.5 ms for one
 * stream, is better off with 1.
 */
const allCoresPenaltyMs = 0.5;

function clearlyFastest(
  candidates: readonly number[],
  figures: Readonly<Record<string, number>>,
  cores: number,
): number {
  const cost = (threads: number) =>
    (figures[threads] ?? Number.POSITIVE_INFINITY) + (threads === cores && cores > 1 ? allCoresPenaltyMs : 0);
  const allCoresLast = [...candidates].sort((a, b) => Number(a === cores) - Number(b === cores));
  return allCoresLast.reduce((best, threads) => (cost(threads) < cost(best) * clearGain ? threads : best));
}

export function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** One step as the loop makes it: batch, decode, sample every sequence. Leaves the context empty. */
export async function decodeOnce({ context, clock }: CalibrationOptions, { samplers, tokens }: Step): Promise<number> {
  const startedAt = clock();
  context.initBatch(samplers.length * tokens);
  const indexes = samplers.map((_, sequence) => {
    const ids = new Uint32Array(tokens).fill(sequence + 1);
    return context.addToBatch(sequence, 0, ids, Uint32Array.of(tokens - 1))[0] ?? 0;
  });
  await context.decodeBatch();
  await Promise.all(samplers.map((sampler, sequence) => context.sampleToken(indexes[sequence] ?? 0, sampler)));
  const elapsed = clock() - startedAt;
  for (const sequence of samplers.keys()) context.removeTokenCellsFromSequence(sequence, -1, -1);
  return elapsed;
}

export interface DepthOptions extends Pick<CalibrationOptions, 'context' | 'clock' | 'batchSize'> {
  /** Tokens. */
  readonly depth: number;
  readonly threads: ThreadPlan;
}

/** Fills sequence 0; false when that would take longer than `budgetMs`. */
export async function fillToDepth(options: DepthOptions & { readonly budgetMs: number }): Promise<boolean> {
  const { context, clock, batchSize, depth, budgetMs, threads } = options;
  const startedAt = clock();
  context.setThreads(threads.prefill);
  for (let at = 0; at < depth; ) {
    const piece = Math.min(batchSize, 128, depth - at);
    context.initBatch(piece);
    context.addToBatch(0, at, new Uint32Array(piece).fill(1), Uint32Array.of());
    await context.decodeBatch();
    at += piece;
    const expected = ((clock() - startedAt) / at) * depth;
    if (expected > budgetMs) return false;
  }
  return true;
}

/** Milliseconds, behind as many tokens as the context was filled with. */
export interface DepthFigures {
  readonly decodeStep: number;
  readonly promptToken: number;
}

/** Of each filled context, taking turns: the lower quartiles. Ends with the first round after the budget. */
export async function compareAtDepth(filled: readonly DepthOptions[], budgetMs: number): Promise<DepthFigures[]> {
  const times = filled.map(() => ({ decode: [] as number[], prompt: [] as number[] }));
  const until = (filled[0]?.clock() ?? 0) + budgetMs;
  for (let round = 0; round < rounds; round++) {
    for (const [index, options] of filled.entries()) {
      if (round > 0 && options.clock() > until) continue;
      const piece = Math.min(prefillPiece, options.batchSize);
      times[index]?.decode.push(...(await timesAtDepth(options, 1, options.threads.single)));
      times[index]?.prompt.push(...(await timesAtDepth(options, piece, options.threads.prefill)));
    }
  }
  const perToken = ({ batchSize }: DepthOptions) => 1 / Math.min(prefillPiece, batchSize);
  return filled.map((options, index) => ({
    decodeStep: rounded(lowerQuartile(times[index]?.decode ?? [])),
    promptToken: rounded(lowerQuartile(times[index]?.prompt ?? []) * perToken(options)),
  }));
}

/** Milliseconds of steps in a row, without the first ones: cores have to wake up. */
async function timesAtDepth({ context, clock, depth }: DepthOptions, tokens: number, threads: number) {
  const times: number[] = [];
  context.setThreads(threads);
  for (let step = 0; step < 2 * stepsPerTurn; step++) {
    const startedAt = clock();
    context.initBatch(tokens);
    context.addToBatch(0, depth, new Uint32Array(tokens).fill(1), Uint32Array.of(tokens - 1));
    await context.decodeBatch();
    times.push(clock() - startedAt);
    context.removeTokenCellsFromSequence(0, depth, -1);
  }
  return times.slice(stepsPerTurn);
}
