import { availableParallelism } from 'node:os';
import type { Llama, LlamaContext, LlamaModel } from 'node-llama-cpp';
import type { Clock } from '../../contract/services.ts';
import type { ThreadPlan } from '../thread-plan.ts';
import {
  type CalibrationFigures,
  type CalibrationOptions,
  calibrateThreads,
  compareAtDepth,
  fillToDepth,
} from './calibrate.ts';
import { decodeThread } from './decode-thread.ts';
import { nativeBindings, nativeContext, nativeModel } from './native.ts';

/** How a model runs best on this machine. */
export interface Tuning {
  readonly threads: ThreadPlan;
  readonly flashAttention: boolean | 'auto';
  /** `given` by flags, `measured` now, `remembered` from an earlier start, or the `library`'s own choice on GPUs. */
  readonly origin: 'given' | 'measured' | 'remembered' | 'library';
  readonly figures?: CalibrationFigures & { readonly depth?: { readonly with: number; readonly without: number } };
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
  /** Names model, machine and shape for the memory. */
  readonly key: string;
  readonly clock: Clock;
  readonly onCalibrate: () => void;
}

const threadBudgetMs = 1200;
const depth = 1000;
const depthBudgetMs = 500;
const clearGain = 0.95;

/** Creates the serving context with the threads and the attention that measure best; GPUs need no measuring. */
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
    const tuning: Tuning = {
      ...known,
      threads: threads === undefined ? known.threads : same(threads),
      flashAttention: flashAttention ?? known.flashAttention,
      origin: 'remembered',
    };
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
  const { createContext, flashAttention, threads } = options;
  let context = await createContext(flashAttention ?? false);
  const calibration = calibrationOptions(options, context);
  const { threads: measured, figures, steady } = await calibrateThreads(calibration);
  const plan = threads === undefined ? measured : same(threads);
  if (flashAttention !== undefined) return { context, steady, tuning: tuningOf(plan, flashAttention, figures) };
  const depths = await compareAttention(options, context, plan);
  const better = depths !== undefined && depths.with < depths.without * clearGain;
  if (better) {
    await context.dispose();
    context = await createContext(true);
  }
  return { context, steady, tuning: tuningOf(plan, better, depths ? { ...figures, depth: depths } : figures) };
}

/**
 * Milliseconds of a step at some depth; undefined when it is too slow to be measured in time: then without, which was
 * the quicker one in every shape that was measured on CPUs.
 */
async function compareAttention(options: TuneOptions, context: LlamaContext, threads: ThreadPlan) {
  const without = { ...calibrationOptions(options, context), ...depthOf(context), threads };
  try {
    if (!(await fillToDepth({ ...without, budgetMs: depthBudgetMs }))) return undefined;
    const trial = await options.createContext(true, { contextSize: without.depth + 64 });
    try {
      const withIt = { ...without, context: nativeContext(trial) };
      if (!(await fillToDepth({ ...withIt, budgetMs: depthBudgetMs * 4 }))) return undefined;
      const [timeWithout = 0, timeWith = 0] = await compareAtDepth([without, withIt]);
      return { with: timeWith, without: timeWithout };
    } finally {
      await trial.dispose();
    }
  } finally {
    without.context.removeTokenCellsFromSequence(0, -1, -1);
  }
}

function depthOf(context: LlamaContext): { depth: number } {
  return { depth: Math.min(depth, context.contextSize - 16) };
}

function tuningOf(threads: ThreadPlan, flashAttention: boolean, figures: NonNullable<Tuning['figures']>): Tuning {
  return { threads, flashAttention, origin: 'measured', figures };
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
