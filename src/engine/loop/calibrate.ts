import type { Clock } from '../../contract/services.ts';
import { Batch } from '../../native/batch.ts';
import type { Context } from '../../native/context.ts';
import { SamplerChain } from '../../native/sampler.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import { lowerQuartile, median, severalThreads, type ThreadPlan } from '../thread-plan.ts';
import type { CalibrationFigures, DepthFigures } from '../tuning.ts';
import { chainSettings } from './chain-settings.ts';

export interface Calibration {
  /** The rounds agreed: nobody else was computing. */
  readonly steady: boolean;
  readonly threads: ThreadPlan;
  readonly figures: CalibrationFigures;
}

export interface CalibrationOptions {
  readonly context: Context;
  readonly pools: ThreadPools;
  readonly cores: number;
  /** Counts to try, the likely best first. */
  readonly candidates: readonly number[];
  readonly clock: Clock;
  /** For all kinds of batches together; each ends at the first sensible moment after a third of it. */
  readonly budgetMs: number;
}

const rounds = 5;
/**
 * One thread count after the other has a turn; its first half is not counted. The cores that the other candidate did not
 * use have to wake up, and the kernel places threads by what cores did in the last tens of milliseconds.
 */
const turnMs = 60;
const stepsPerTurn = 3;
const prefillPiece = 32;
const manySequences = 8;
/** Another thread count must be this much better than the likely best one: noise decides nothing. */
const clearGain = 0.95;
/** On a quiet machine the median round takes 1.0 to 1.2 times the quickest. */
const unsteadyRatio = 1.5;

/**
 * Chooses threads by real decode steps with sampling, on the empty context that will serve. All cores is often wrong:
 * ggml's workers spin and fight the server's own thread and the clients.
 */
export function calibrateThreads(options: CalibrationOptions): Calibration {
  const bench = new Bench(options);
  const { candidates, clock, budgetMs, context } = options;
  const measure = (sequences: number, tokens: number) =>
    fastest(options, bench, candidates, { sequences, tokens, until: clock() + budgetMs / 3 });
  try {
    bench.step({ sequences: 1, tokens: 1 }, 1);
    // The shortest steps come last: right after a load the first hundreds of milliseconds are slower.
    const prefill = measure(1, Math.min(prefillPiece, context.batchSize));
    const several = context.sequences > 1 ? measure(Math.min(manySequences, context.sequences), 1) : undefined;
    const single = measure(1, 1);
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
    bench.free();
  }
}

interface Load {
  readonly sequences: number;
  /** Per sequence. */
  readonly tokens: number;
}

/** Sampled as most clients ask for. */
const usualSampling = {
  temperature: 0.8,
  topP: 0.95,
  topK: 40,
  minP: 0.05,
  seed: 1,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
} as const;

/** One step as the loop makes it: batch, decode, sample every sequence. Leaves the context empty. */
class Bench {
  readonly #options: Pick<CalibrationOptions, 'context' | 'pools' | 'clock'>;
  readonly #batch: Batch;
  readonly #samplers: readonly SamplerChain[];

  constructor(options: Pick<CalibrationOptions, 'context' | 'pools' | 'clock'>) {
    const { context } = options;
    const { library, vocabulary } = context.model;
    this.#options = options;
    this.#batch = new Batch(library, context.batchSize);
    const rules = { contextSize: context.contextSize, forbidden: [] };
    const { settings } = chainSettings(usualSampling, rules);
    this.#samplers = Array.from(
      { length: Math.min(manySequences, context.sequences) },
      () => new SamplerChain(library, vocabulary, settings),
    );
  }

  /** Milliseconds. */
  step({ sequences, tokens }: Load, threads: number): number {
    const { context, pools, clock } = this.#options;
    context.useThreads(pools, threads, threads);
    const startedAt = clock();
    this.#batch.clear();
    for (let sequence = 0; sequence < sequences; sequence++) {
      for (let at = 0; at < tokens; at++) this.#batch.add(sequence + 1, at, sequence, at === tokens - 1);
    }
    decodeWhole(context, this.#batch);
    for (let sequence = 0; sequence < sequences; sequence++) {
      this.#samplers[sequence]?.sample(context, (sequence + 1) * tokens - 1);
    }
    const elapsed = clock() - startedAt;
    for (let sequence = 0; sequence < sequences; sequence++) context.clear(sequence);
    return elapsed;
  }

  free(): void {
    for (const sampler of this.#samplers) sampler.free();
    this.#batch.free();
  }
}

function fastest(
  options: CalibrationOptions,
  bench: Bench,
  candidates: readonly number[],
  load: Load & { readonly until: number },
) {
  const { clock } = options;
  const times = new Map<number, number[]>(candidates.map((threads) => [threads, []]));
  // Round by round over all candidates, so that a busy moment of the machine spoils none of them alone.
  for (let round = 0; round < rounds; round++) {
    for (const [threads, measured] of times) {
      if (round > 0 && (clock() > load.until || (round > 1 && hopeless(measured, times)))) continue;
      measured.push(...takeTurn(options, bench, threads, load));
    }
  }
  const figures = Object.fromEntries(
    [...times].map(([threads, measured]) => [threads, rounded(lowerQuartile(measured))]),
  );
  const best = clearlyFastest(candidates, figures, options.cores);
  const chosen = times.get(best) ?? [];
  return { best, figures, steady: median(chosen) < Math.min(...chosen) * unsteadyRatio };
}

function takeTurn(
  { clock }: CalibrationOptions,
  bench: Bench,
  threads: number,
  load: Load & { readonly until: number },
): number[] {
  const startedAt = clock();
  const times: number[] = [];
  const enough = () => times.length >= stepsPerTurn && clock() - startedAt >= turnMs;
  while (times.length < 2 || (!enough() && clock() < load.until)) times.push(bench.step(load, threads));
  return times.slice(Math.floor(times.length / 2));
}

/** In two rounds at its best more than twice as slow as another one at its best: not worth a third. */
function hopeless(measured: readonly number[], times: ReadonlyMap<number, readonly number[]>): boolean {
  const best = Math.min(...[...times.values()].flat());
  return measured.length > 1 && Math.min(...measured) > 2 * best;
}

/**
 * Milliseconds a step may lose when ggml's threads take all cores, since they leave none for the server's own thread and
 * the clients, all of which are idle while this measures. On 2 cores a model of 2 layers measured 1.9 ms on 1 thread and
 * 1.4 on 2 for one stream, and its loop took 2.06 and 1.63.
 */
const allCoresPenaltyMs = 0.15;

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

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

type DepthOptions = Pick<CalibrationOptions, 'context' | 'pools' | 'clock'> & { readonly threads: ThreadPlan };

/** A context whose first sequence is filled, for measuring after so many tokens. */
export class FilledContext {
  readonly #options: DepthOptions;
  readonly #batch: Batch;
  #depth = 0;

  constructor(options: DepthOptions) {
    this.#options = options;
    this.#batch = new Batch(options.context.library, options.context.batchSize);
  }

  /** False when that would take longer than `budgetMs`. */
  fill(depth: number, budgetMs: number): boolean {
    const { context, clock } = this.#options;
    const startedAt = clock();
    while (this.#depth < depth) {
      this.#decode(Math.min(context.batchSize, 128, depth - this.#depth), false);
      const expected = ((clock() - startedAt) / this.#depth) * depth;
      if (expected > budgetMs) return false;
    }
    return true;
  }

  /** Of a few steps in a row, the first ones not counted: cores have to wake up. */
  measure(): { readonly decodeSteps: readonly number[]; readonly promptTokens: readonly number[] } {
    const piece = Math.min(prefillPiece, this.#options.context.batchSize);
    return { decodeSteps: this.#times(1), promptTokens: this.#times(piece).map((ms) => ms / piece) };
  }

  free(): void {
    this.#options.context.clear(0);
    this.#batch.free();
  }

  #times(tokens: number): number[] {
    const { clock, context } = this.#options;
    const depth = this.#depth;
    const times: number[] = [];
    for (let step = 0; step < 2 * stepsPerTurn; step++) {
      const startedAt = clock();
      this.#decode(tokens, true);
      times.push(clock() - startedAt);
      if (!context.cut(0, depth)) throw new Error('The context could not be cut.');
      this.#depth = depth;
    }
    return times.slice(stepsPerTurn);
  }

  #decode(tokens: number, output: boolean): void {
    const { context, pools, threads } = this.#options;
    context.useThreads(pools, threads.single, severalThreads(threads, tokens));
    this.#batch.clear();
    for (let at = 0; at < tokens; at++) this.#batch.add(1, this.#depth + at, 0, output && at === tokens - 1);
    decodeWhole(context, this.#batch);
    this.#depth += tokens;
  }
}

/** What was interrupted has no logits, and llama.cpp ends the process where they are asked for. */
function decodeWhole(context: Context, batch: Batch): void {
  if (context.decode(batch) !== 'done') throw new Error('A step of the measurement was interrupted.');
}

/** Of each filled context, taking turns: the lower quartiles. Ends with the first round after the budget. */
export function compareAtDepth(filled: readonly FilledContext[], clock: Clock, budgetMs: number): DepthFigures[] {
  const times = filled.map(() => ({ decode: [] as number[], prompt: [] as number[] }));
  const until = clock() + budgetMs;
  for (let round = 0; round < rounds && (round === 0 || clock() <= until); round++) {
    for (const [index, context] of filled.entries()) {
      const { decodeSteps, promptTokens } = context.measure();
      times[index]?.decode.push(...decodeSteps);
      times[index]?.prompt.push(...promptTokens);
    }
  }
  return times.map(({ decode, prompt }) => ({
    decodeStep: rounded(lowerQuartile(decode)),
    promptToken: rounded(lowerQuartile(prompt)),
  }));
}
