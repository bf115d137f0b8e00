import { ServeError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/services.ts';
import { Projector } from '../../media/projector.ts';
import { Context } from '../../native/context.ts';
import type { Interrupt } from '../../native/interrupt.ts';
import { Model } from '../../native/model.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import type { ContextOptions } from '../remote/protocol.ts';
import { DraftDesk } from './draft-guesser.ts';
import { longestGuess, lookupGuessers, type Speculation } from './speculation.ts';
import { createTunedContext, type Tuned } from './tune.ts';

export interface ServingContext extends Tuned {
  readonly speculation: Speculation | undefined;
  readonly needsCheckpoints: boolean;
  /** Encodes media for it. */
  readonly projector: Projector | undefined;
}

const usualBatch = 512;
/** Places of a batch whose logits are read: of each sequence with its guesses, and of prompts that are told. */
const outputsOfPrompts = 32;

/** The context that will serve, with the threads and the attention that suit it. ServeError insufficient_memory. */
export function createServingContext(
  model: Model,
  interrupt: Interrupt,
  pools: ThreadPools,
  { projector: wish, ...options }: ContextOptions,
  { clock, onCalibrate }: { readonly clock: Clock; readonly onCalibrate: () => void },
): ServingContext {
  const facts = model.facts();
  const projector =
    wish &&
    new Projector(model.library, wish.file, facts.inputRowSize, {
      gpu: model.onGpu,
      pools,
      interrupt: model.onGpu ? undefined : interrupt,
      flashAttention: options.flashAttention,
      clock,
    });
  try {
    return {
      ...createBeside(model, interrupt, pools, { ...options, projector: wish }, { clock, onCalibrate, projector }),
      projector,
    };
  } catch (error) {
    projector?.free();
    throw error;
  }
}

interface Beside {
  readonly clock: Clock;
  readonly onCalibrate: () => void;
  readonly projector: Projector | undefined;
}

function createBeside(
  model: Model,
  interrupt: Interrupt,
  pools: ThreadPools,
  given: ContextOptions,
  { clock, onCalibrate, projector }: Beside,
): Omit<ServingContext, 'projector'> {
  const facts = model.facts();
  const options = roomForMedia(given, projector);
  const needsCheckpoints = facts.hybrid || facts.recurrent || (facts.windowSize > 0 && !options.fullWindows);
  const onGpu = model.onGpu;
  const create = (flashAttention: boolean | 'auto', small?: { readonly contextSize: number }) =>
    createContext(model, interrupt, options, flashAttention, small);
  const tuned = createTunedContext({
    ...options,
    createContext: create,
    pools,
    onGpu,
    // llama.cpp reads quantized values with flash attention only.
    flashAttention: isQuantized(options.valueType) ? true : options.flashAttention,
    canCut: !needsCheckpoints,
    clock,
    onCalibrate,
  });
  try {
    return { ...tuned, needsCheckpoints, speculation: openGuessers(model, pools, options, tuned) };
  } catch (error) {
    tuned.context.free();
    throw error;
  }
}

/** Rows that see each other go in one pass. */
function roomForMedia(options: ContextOptions, projector: Projector | undefined): ContextOptions {
  const eye = projector?.senses.eye;
  if (!eye || eye.causal) return options;
  const { mostRows } = eye;
  const batchSize = Math.max(options.batchSize ?? usualBatch, mostRows);
  return { ...options, batchSize, microBatchSize: Math.max(options.microBatchSize ?? batchSize, mostRows) };
}

function isQuantized(type: ContextOptions['valueType']): boolean {
  return type !== undefined && /q\d|iq/.test(type);
}

function createContext(
  model: Model,
  interrupt: Interrupt,
  options: ContextOptions,
  flashAttention: boolean | 'auto',
  small: { readonly contextSize: number } | undefined,
): Context {
  const sequences = small ? 1 : options.slots;
  const contextSize = small?.contextSize ?? options.contextSize;
  // A step has room for a token of everybody.
  const batchSize = Math.min(Math.max(options.batchSize ?? usualBatch, sequences), contextSize * sequences);
  try {
    return Context.create(
      model,
      {
        contextSize,
        sequences,
        batchSize,
        microBatchSize: options.microBatchSize,
        outputs: Math.min(batchSize, sequences * (longestGuess + 1) + outputsOfPrompts),
        threads: 1,
        flashAttention,
        keyType: options.keyType,
        valueType: options.valueType,
        unified: options.unified,
        fullWindows: options.fullWindows,
        rope: options.rope,
      },
      model.onGpu ? undefined : interrupt,
    );
  } catch (error) {
    throw tooLarge(options, error);
  }
}

function tooLarge({ contextSize, slots }: ContextOptions, cause: unknown): ServeError {
  return new ServeError(
    'insufficient_memory',
    `A context of ${contextSize} tokens in each of ${slots} slots does not fit into this machine's memory. Use a smaller quantization, a smaller --ctx-size or a smaller --parallel.`,
    {},
    { cause },
  );
}

function openGuessers(
  model: Model,
  pools: ThreadPools,
  { speculation, slots }: ContextOptions,
  { context, tuning }: Tuned,
): Speculation | undefined {
  if (speculation === undefined || speculation === 'off') return undefined;
  if (speculation === 'lookup') return lookupGuessers();
  const draft = Model.load(model.library, speculation.draftModel, { gpuLayers: model.onGpu ? -1 : 0 });
  const draftContext = Context.create(draft, {
    contextSize: Math.min(context.contextSize, draft.facts().trainedContextSize),
    sequences: slots,
    batchSize: usualBatch,
    outputs: slots,
    threads: 1,
    flashAttention: tuning.flashAttention,
  });
  // Two pools would spin against each other: the draft model computes on the one of single steps.
  draftContext.useThreads(pools, tuning.threads.single, tuning.threads.single);
  const desk = new DraftDesk(draftContext, model.vocabulary.size);
  return {
    guessers: (slot) => desk.guesser(slot),
    free() {
      desk.free();
      draftContext.free();
      draft.free();
    },
  };
}
