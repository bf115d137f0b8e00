import { availableParallelism } from 'node:os';
import type { Llama, LlamaContext, LlamaModel } from 'node-llama-cpp';
import type { Clock } from '../../contract/services.ts';
import type { OneThreadCosts } from '../after-pause.ts';
import type { ThreadPlan } from '../thread-plan.ts';
import {
  type CalibrationFigures,
  type CalibrationOptions,
  calibrateThreads,
  compareAtDepth,
  type DepthFigures,
  fillToDepth,
} from './calibrate.ts';
import { calibrateAfterPause, type PauseFigures } from './calibrate-after-pause.ts';
import { decodeThread } from './decode-thread.ts';
import { nativeBindings, nativeContext, nativeModel } from './native.ts';

/** How a model runs best on this machine. */
export interface Tuning {
  readonly threads: ThreadPlan;
  readonly flashAttention: boolean | 'auto';
  /** `given` by flags, `measured` now, `remembered` from an earlier start, or the `library`'s own choice on GPUs. */
  readonly origin: 'given' | 'measured' | 'remembered' | 'library';
  /** Where quick batches behind a pause are better off on one thread, see AfterPause. */
  readonly aloneAfterPause?: OneThreadCosts;
  readonly figures?: CalibrationFigures & {
    readonly depth?: AttentionFigures;
    readonly behindPause?: PauseFigures;
  };
}

/** With and without flash attention. */
interface AttentionFigures {
  readonly with: DepthFigures;
  readonly without: DepthFigures;
}

/** Tunings of earlier starts, per model and machine. */
export interface TuningMemory {
  read(key: string): Tuning | undefined;
  write(key: string, tuning: Tuning): void;
}

export interface TuneOptions {
  readonly llama: Llama;
  readonly model: LlamaModel;
  readonly createContext: (flashAttention: boolean | 'auto', small?: { contextSize: number }) => Promise<LlamaContext>;
  readonly threads: number | undefined;
  readonly flashAttention: boolean | undefined;
  readonly memory: TuningMemory | undefined;
  /** Names model, machine, shape and what is given for the memory. */
  readonly key: string;
  readonly clock: Clock;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly onCalibrate: () => void;
}

const threadBudgetMs = 1200;
const depth = 1000;
const depthBudgetMs = 500;
const compareBudgetMs = 300;
/** Noise decides nothing. */
const clearLoss = 1.1;

/** Creates the serving context with the threads and the attention that suit it; GPUs need no measuring. */
export async function createTunedContext(options: TuneOptions): Promise<{ context: LlamaContext; tuning: Tuning }> {
  const { llama, threads, flashAttention, memory, key, createContext } = options;
  const same = (count: number): ThreadPlan => ({ single: count, batched: count, prefill: count });
  if (llama.gpu) {
    const attention = flashAttention ?? 'auto';
    const context = await createContext(attention);
    return {
      context,
      tuning: { threads: same(threads ?? context.idealThreads), flashAttention: attention, origin: 'library' },
    };
  }
  if (threads !== undefined && flashAttention !== undefined) {
    const context = await createContext(flashAttention);
    return { context, tuning: { threads: same(threads), flashAttention, origin: 'given' } };
  }
  const known = memory?.read(key);
  if (known) {
    const tuning: Tuning = { ...known, origin: 'remembered' };
    return { context: await createContext(tuning.flashAttention), tuning };
  }
  options.onCalibrate();
  const becomeIdle = decodeThread().hold();
  const measured = await measure(options, same).finally(becomeIdle);
  // What a busy machine measures serves now, but not for ever: the next start measures again.
  if (measured.steady) memory?.write(key, measured.tuning);
  return { context: measured.context, tuning: measured.tuning };
}

async function measure(options: TuneOptions, same: (count: number) => ThreadPlan) {
  const { createContext, flashAttention, threads, pause } = options;
  let context = await createContext(flashAttention ?? true);
  const calibration = await calibrateThreads(calibrationOptions(options, context));
  const plan = threads === undefined ? calibration.threads : same(threads);
  const depth = flashAttention === undefined ? await compareAttention(options, context, plan) : undefined;
  const attention = flashAttention ?? (depth === undefined || !isWorseWith(depth));
  if (flashAttention === undefined && !attention) {
    await context.dispose();
    context = await createContext(false);
  }
  // Threads that somebody asked for are never others.
  const behindPause =
    threads === undefined
      ? await calibrateAfterPause({ ...calibrationOptions(options, context), pause }, calibration)
      : undefined;
  const tuning: Tuning = {
    threads: plan,
    flashAttention: attention,
    origin: 'measured',
    ...(behindPause?.costs && { aloneAfterPause: behindPause.costs }),
    figures: {
      ...calibration.figures,
      ...(depth && { depth }),
      ...(behindPause && { behindPause: behindPause.figures }),
    },
  };
  return { context, steady: calibration.steady, tuning };
}

/**
 * Behind a thousand tokens; undefined when the model is too slow for it to be measured in time. Flash attention is then
 * on: with 24 layers of 64-wide heads on 2 cores it reads a prompt of 1,024 tokens in 0.85 of the time and one of 4,096 in
 * 0.68; decoding takes 0.95 of the time in an empty context, 1.0 behind 1,000 tokens, 1.05 behind 2,000 and 1.15 behind
 * 4,000. It needs no memory for attention scores, either. But the bundled model, whose heads are 32 wide, decodes three
 * times as slowly with it behind 1,000 tokens.
 */
async function compareAttention(
  options: TuneOptions,
  context: LlamaContext,
  threads: ThreadPlan,
): Promise<AttentionFigures | undefined> {
  const withIt = { ...calibrationOptions(options, context), ...depthOf(context), threads };
  try {
    if (!(await fillToDepth({ ...withIt, budgetMs: depthBudgetMs }))) return undefined;
    const trial = await options.createContext(false, { contextSize: withIt.depth + 64 });
    try {
      const without = { ...withIt, context: nativeContext(trial) };
      if (!(await fillToDepth({ ...without, budgetMs: depthBudgetMs * 4 }))) return undefined;
      const [figuresWith, figuresWithout] = await compareAtDepth([withIt, without], compareBudgetMs);
      return figuresWith && figuresWithout && { with: figuresWith, without: figuresWithout };
    } finally {
      await trial.dispose();
    }
  } finally {
    withIt.context.removeTokenCellsFromSequence(0, -1, -1);
  }
}

/** Over turns that read as many tokens as they write. */
function isWorseWith(depths: AttentionFigures): boolean {
  const cost = ({ decodeStep, promptToken }: DepthFigures) => decodeStep + promptToken;
  return cost(depths.with) > cost(depths.without) * clearLoss;
}

function depthOf(context: LlamaContext): { depth: number } {
  return { depth: Math.min(depth, context.contextSize - 64) };
}

function calibrationOptions({ llama, model, clock }: TuneOptions, context: LlamaContext): CalibrationOptions {
  return {
    context: nativeContext(context),
    model: nativeModel(model),
    bindings: nativeBindings(llama),
    slots: context.totalSequences,
    batchSize: context.batchSize,
    cores: availableParallelism(),
    mathCores: llama.cpuMathCores,
    clock,
    budgetMs: threadBudgetMs,
  };
}
