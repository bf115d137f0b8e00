import { availableParallelism } from 'node:os';
import type { LlamaContext, LlamaModel } from 'node-llama-cpp';
import type { Clock } from '../../contract/services.ts';
import { AfterPause } from '../after-pause.ts';
import type { Engine, EngineRun, EngineStats } from '../engine.ts';
import type { LoopJob } from '../remote-request.ts';
import { StepPacer } from '../step-pacer.ts';
import { whenHeld } from '../when-held.ts';
import { decodeThread } from './decode-thread.ts';
import { nativeBindings, nativeContext, nativeModel } from './native.ts';
import { restWhileWorkersStart } from './rest-while-workers-start.ts';
import type { SamplingTools } from './run-sampler.ts';
import { Slot } from './slot.ts';
import { createSnapshots } from './snapshots.ts';
import type { Speculation } from './speculation.ts';
import { createStateFiles } from './state-files.ts';
import { StepLoop, type StepReport } from './step-loop.ts';
import { createTokenText } from './token-text.ts';
import type { Tuning } from './tune.ts';

export interface LlamaEngineOptions {
  readonly model: LlamaModel;
  readonly context: LlamaContext;
  readonly device: string;
  readonly tuning: Tuning;
  readonly clock: Clock;
  readonly stepTargetMs: number;
  /** Of states in files, see StateFiles. */
  readonly fingerprint: string;
  readonly yieldToEventLoop: () => Promise<void>;
  /** Speculative decoding. */
  readonly speculation: Speculation | undefined;
  readonly onStep?: (report: StepReport) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Step time to aim at while nobody decodes, see StepPacer. */
const idleTargetMs = 400;

export interface LlamaEngine extends Engine {
  run(job: LoopJob): EngineRun;
}

/** The engine over a loaded model and its context, which it owns from here on. */
export function createLlamaEngine(options: LlamaEngineOptions): LlamaEngine {
  const { model, context, clock } = options;
  const native = nativeModel(model);
  const bindings = nativeBindings(model.llama);
  const nativeContextOfModel = nativeContext(context);
  const onProcessor = model.llama.gpu === false;
  const text = createTokenText({ model: native, yieldToEventLoop: options.yieldToEventLoop });
  const vocabularySize = vocabularySizeOf(model);
  const endTokens = [...Array(vocabularySize).keys()].filter((token) => native.isEogToken(token));
  const needsCheckpoints = stateCannotBeCut(model);
  const slotTools = { context: nativeContextOfModel, bindings, needsCheckpoints };
  const slots = [...Array(context.totalSequences).keys()].map((id) => new Slot(id, slotTools));
  const tools: SamplingTools = { bindings, model: native, context: nativeContextOfModel, text, endTokens };
  const pacer = new StepPacer({ batchSize: context.batchSize, targetMs: options.stepTargetMs, idleTargetMs });
  const totals = { steps: 0, prefillTokens: 0, decodeTokens: 0 };
  let decodeRate: number | undefined;

  const loop = new StepLoop({
    tools,
    slots,
    batchSize: context.batchSize,
    threads: options.tuning.threads,
    afterPause: new AfterPause(options.tuning.aloneAfterPause),
    pacer,
    clock,
    restWhileWorkersStart: onProcessor ? restWhileWorkersStart : () => undefined,
    becomeBusy: onProcessor ? () => decodeThread().hold() : () => () => undefined,
    thread: decodeThread(),
    cores: onProcessor ? availableParallelism() : Number.POSITIVE_INFINITY,
    // Guesses that prove wrong must be cut off again.
    guessers: needsCheckpoints ? undefined : options.speculation?.guessers,
    onStep(report) {
      totals.steps++;
      totals.prefillTokens += report.prefillTokens;
      totals.decodeTokens += report.decodeTokens;
      if (report.prefillTokens === 0) decodeRate = blend(decodeRate, (report.decodeTokens / report.ms) * 1000);
      options.onStep?.(report);
    },
    onFailure: options.onFailure,
  });
  loop.start();

  return {
    info: {
      slots: slots.length,
      contextSize: context.contextSize,
      batchSize: context.batchSize,
      vocabularySize,
      device: options.device,
      isEndOfGeneration: (token) => native.isEogToken(token),
    },
    text,
    slots: () => slots,
    // A full context would shift: its beginning would be lost.
    run: (job) => loop.join({ ...job, maxTokens: Math.min(job.maxTokens, context.contextSize - job.prompt.length) }),
    snapshots: needsCheckpoints
      ? undefined
      : {
          ...createSnapshots({ bindings, context: nativeContextOfModel, slots, loop }),
          files: createStateFiles({
            context: nativeContextOfModel,
            slots,
            loop,
            contextSize: context.contextSize,
            fingerprint: options.fingerprint,
          }),
        },
    whenHeld: (slot, tokens, signal) => whenHeld((check) => loop.watch(check), slots[slot], tokens, signal),
    stats: (): EngineStats => ({
      ...totals,
      prefillRate: pacer.prefillRate,
      decodeRate,
      threads: options.tuning.threads,
      flashAttention: options.tuning.flashAttention,
      ...calibrationOf(options.tuning),
    }),
    async dispose() {
      await loop.stop();
      await options.speculation?.dispose();
      await context.dispose();
      await model.dispose();
    },
  };
}

function calibrationOf({ origin, figures, aloneAfterPause }: Tuning): Pick<EngineStats, 'calibration'> {
  return figures ? { calibration: { origin, ...figures, ...(aloneAfterPause && { aloneAfterPause }) } } : {};
}

/** Sliding-window and recurrent state cannot be cut at any point. */
export function stateCannotBeCut(model: LlamaModel): boolean {
  const { isHybrid, isRecurrent, swaSize } = model.fileInsights;
  return isHybrid || isRecurrent || (swaSize !== undefined && swaSize > 0);
}

export function vocabularySizeOf(model: LlamaModel): number {
  const tokens = model.fileInfo.metadata.tokenizer?.ggml?.tokens;
  return tokens?.length ?? 0;
}

function blend(old: number | undefined, measured: number): number {
  return old === undefined ? measured : old + (measured - old) * 0.2;
}
