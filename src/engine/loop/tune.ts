import { availableParallelism } from 'node:os';
import type { Clock } from '../../contract/services.ts';
import type { Context } from '../../native/context.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import { type ThreadPlan, threadCandidates } from '../thread-plan.ts';
import type { AttentionFigures, DepthFigures, Tuning } from '../tuning.ts';
import { calibrateThreads, compareAtDepth, FilledContext } from './calibrate.ts';

export interface TuneOptions {
  readonly createContext: (flashAttention: boolean | 'auto', small?: { readonly contextSize: number }) => Context;
  readonly pools: ThreadPools;
  readonly onGpu: boolean;
  readonly threads: number | undefined;
  readonly promptThreads: number | undefined;
  readonly flashAttention: boolean | undefined;
  readonly remembered: Tuning | undefined;
  /** Sliding-window and recurrent state cannot be cut: such a context is not measured at depth. */
  readonly canCut: boolean;
  readonly clock: Clock;
  readonly onCalibrate: () => void;
}

export interface Tuned {
  readonly context: Context;
  readonly tuning: Tuning;
  readonly steady: boolean;
}

const threadBudgetMs = 1200;
const depth = 1000;
const depthBudgetMs = 500;
const compareBudgetMs = 300;
/** Noise decides nothing. */
const clearLoss = 1.1;
/** From so many cores on one is left to the server's own thread and to the clients while streams run. */
const coresToSpare = 4;
const libraryThreads = 4;

/** Creates the serving context with the threads and the attention that suit it; GPUs need no measuring. */
export function createTunedContext(options: TuneOptions): Tuned {
  const { onGpu, threads, flashAttention, remembered, createContext } = options;
  const known = (plan: Tuning): Tuned => ({ context: createContext(plan.flashAttention), tuning: plan, steady: false });
  if (onGpu) {
    const plan = givenPlan(options, Math.min(libraryThreads, availableParallelism()));
    return known({ threads: plan, flashAttention: flashAttention ?? 'auto', origin: 'library' });
  }
  if (threads !== undefined && flashAttention !== undefined) {
    return known({ threads: givenPlan(options, threads), flashAttention, origin: 'given' });
  }
  if (remembered) return known({ ...remembered, origin: 'remembered' });
  options.onCalibrate();
  return measure(options);
}

function givenPlan({ threads, promptThreads }: TuneOptions, otherwise: number): ThreadPlan {
  const count = threads ?? otherwise;
  return { single: count, batched: count, prefill: promptThreads ?? count };
}

/** No measurement may stop a start: whatever fails leaves the likely choice. */
function measure(options: TuneOptions): Tuned {
  const { createContext, flashAttention, threads } = options;
  let context = createContext(flashAttention ?? true);
  const candidates = candidatesOf(availableParallelism());
  const calibration = attempt(() =>
    calibrateThreads({ ...options, context, cores: availableParallelism(), candidates, budgetMs: threadBudgetMs }),
  );
  const best = calibration?.threads ?? givenPlan(options, candidates[0] ?? 1);
  const plan = threads === undefined ? best : givenPlan(options, threads);
  // More threads than cores wait for each other in every step: nothing of it can be measured in time.
  const measurable = threads === undefined || threads <= availableParallelism();
  const compared =
    flashAttention === undefined && options.canCut && measurable
      ? attempt(() => compareAttention(options, context, plan))
      : undefined;
  const attention = flashAttention ?? (compared === undefined || !isWorseWith(compared));
  for (let sequence = 0; sequence < context.sequences; sequence++) context.clear(sequence);
  if (flashAttention === undefined && !attention) {
    context.free();
    context = createContext(false);
  }
  return {
    context,
    steady: calibration?.steady ?? false,
    tuning: {
      threads: plan,
      flashAttention: attention,
      origin: 'measured',
      ...(calibration && { figures: { ...calibration.figures, ...(compared && { depth: compared }) } }),
    },
  };
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function candidatesOf(cores: number): readonly number[] {
  const most = cores >= coresToSpare ? cores - 1 : cores;
  return threadCandidates(most, most);
}

/**
 * After a thousand tokens; undefined when the model is too slow for it to be measured in time. Flash attention is then
 * on: with 24 layers of 64-wide heads on 2 cores it reads a prompt of 1,024 tokens in 0.85 of the time and one of 4,096 in
 * 0.68; decoding takes 0.95 of the time in an empty context, 1.0 after 1,000 tokens, 1.05 after 2,000 and 1.15 after
 * 4,000. It needs no memory for attention scores, either. But the bundled model, whose heads are 32 wide, decodes three
 * times as slowly with it after 1,000 tokens.
 */
function compareAttention(options: TuneOptions, context: Context, threads: ThreadPlan): AttentionFigures | undefined {
  const { pools, clock } = options;
  const deep = Math.min(depth, context.contextSize - 64);
  const filled = (each: Context) => new FilledContext({ context: each, pools, clock, threads });
  const withIt = filled(context);
  try {
    if (!withIt.fill(deep, depthBudgetMs)) return undefined;
    const trial = options.createContext(false, { contextSize: deep + 64 });
    const without = filled(trial);
    try {
      if (!without.fill(deep, depthBudgetMs * 4)) return undefined;
      const [figuresWith, figuresWithout] = compareAtDepth([withIt, without], clock, compareBudgetMs);
      return figuresWith && figuresWithout && { with: figuresWith, without: figuresWithout };
    } finally {
      without.free();
      trial.free();
    }
  } finally {
    withIt.free();
  }
}

/** Over turns that read as many tokens as they write. */
function isWorseWith(depths: AttentionFigures): boolean {
  const cost = ({ decodeStep, promptToken }: DepthFigures) => decodeStep + promptToken;
  return cost(depths.with) > cost(depths.without) * clearLoss;
}
