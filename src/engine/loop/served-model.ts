import { ServeError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/services.ts';
import type { Projector } from '../../media/projector.ts';
import { Candidates } from '../../native/candidates.ts';
import type { Context } from '../../native/context.ts';
import { gpusOf } from '../../native/devices.ts';
import type { Interrupt } from '../../native/interrupt.ts';
import type { Model } from '../../native/model.ts';
import { ThreadPools } from '../../native/thread-pools.ts';
import {
  type Answer,
  type ContextOptions,
  type FromLoop,
  type Question,
  type ToLoop,
  toWire,
  type VectorOptions,
} from '../remote/protocol.ts';
import { StepPacer } from '../step-pacer.ts';
import type { Tuning } from '../tuning.ts';
import { AdapterTurns } from './adapter-turns.ts';
import { createServingContext } from './create-context.ts';
import { LoopTotals } from './loop-totals.ts';
import { NativeSteps } from './native-steps.ts';
import { openMedia } from './open-media.ts';
import { Outbox } from './outbox.ts';
import { RunSampler } from './run-sampler.ts';
import { Slot } from './slot.ts';
import { SlotMoves } from './slot-moves.ts';
import type { Speculation } from './speculation.ts';
import { StepLoop } from './step-loop.ts';
import { VectorDesk } from './vector-desk.ts';
import type { LoadedAdapter } from './weights.ts';
import { wipeSlot } from './wipe-slot.ts';

export interface ServedModelOptions {
  readonly model: Model;
  readonly interrupt: Interrupt;
  readonly adapters: readonly LoadedAdapter[];
  readonly clock: Clock;
  readonly send: (message: FromLoop) => void;
  readonly waitForAnswers: (answered: () => boolean) => void;
}

/** Step time to aim at while nobody decodes, see StepPacer. */
const idleTargetMs = 400;

/** What runs on loaded weights: a context with its slots and step loop, and vectors. */
export class ServedModel {
  readonly #options: ServedModelOptions;
  #chat: Chat | undefined;
  #pools: ThreadPools | undefined;
  #vectors: VectorDesk | undefined;
  #failed = false;
  #ends: readonly number[] | undefined;

  constructor(options: ServedModelOptions) {
    this.#options = options;
  }

  openContext(options: ContextOptions): void {
    const { model, interrupt, clock, send } = this.#options;
    const pools = new ThreadPools(model.library, options.pool);
    this.#pools = pools;
    const created = createServingContext(model, interrupt, pools, options, {
      clock,
      onCalibrate: () => send({ type: 'calibrate' }),
    });
    this.#chat = this.#buildChat(options, created);
    this.#vectors = new VectorDesk({ model, pools, threads: created.tuning.threads.prefill });
    send({ type: 'loaded', facts: this.#chat.facts(created.steady) });
    // Before the first request, which waits for the server's thread just now.
    this.#endTokens();
  }

  openVectors({ threads, pool }: VectorOptions): void {
    const { model, send } = this.#options;
    this.#pools = new ThreadPools(model.library, pool);
    this.#vectors = new VectorDesk({ model, pools: this.#pools, threads });
    send({ type: 'loaded', facts: vectorFacts });
  }

  take(message: Exclude<ToLoop, { type: 'library' | 'weights' | 'context' | 'vectors' | 'dispose' }>): void {
    switch (message.type) {
      case 'run':
        this.#chat?.loop.join(message.run, message.job);
        return;
      case 'abort':
        this.#chat?.loop.abort(message.run);
        return;
      case 'pause':
        this.#chat?.loop.pause(message.run);
        return;
      case 'resume':
        this.#chat?.loop.resume(message.run);
        return;
      case 'directives':
        this.#chat?.loop.answered(message.step, message.runs, message.held);
        return;
      case 'late-directives':
        this.#chat?.loop.answeredLate(message.step, message.said);
        return;
      case 'ask':
        this.#ask(message.id, message.question);
        return;
      case 'cancel':
        this.#vectors?.cancel(message.id);
        return;
      default:
        message satisfies never;
    }
  }

  /** One step, and one batch of vectors: neither waits for all of the other. False: there was nothing to do. */
  advance(): boolean {
    if (this.#failed) return false;
    const stepped = this.#chat?.loop.step() ?? false;
    const computed = this.#vectors?.advance() ?? false;
    return stepped || computed;
  }

  fail(error: unknown): void {
    this.#failed = true;
    this.#chat?.loop.failAll(error);
  }

  free(): void {
    const gone = new ServeError('engine_failure', 'The model was unloaded while this request was running.');
    this.#chat?.loop.failAll(gone);
    this.#vectors?.free();
    this.#chat?.free();
    this.#pools?.free();
  }

  #ask(id: number, question: Question): void {
    const { send } = this.#options;
    const refuse = (error: unknown) => send({ type: 'refusal', id, error: toWire(error) });
    const tell = (answer: Answer) => {
      // What slots held at the time of the answer is known before it.
      this.#chat?.loop.tellAll();
      send({ type: 'answer', id, answer });
    };
    try {
      switch (question.about) {
        case 'embed':
        case 'rank':
          this.#vectors?.ask(id, question, tell, refuse);
          return;
        case 'device-memory': {
          const gpus = gpusOf(this.#options.model.library);
          const free = gpus.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
          tell({ about: 'device-memory', free: gpus.length > 0 ? free : undefined });
          return;
        }
        case 'tokens':
          throw new ServeError('internal', 'The vocabulary is elsewhere.');
        default:
          if (!this.#chat) throw new ServeError('internal', 'This model has no slots.');
          tell(this.#chat.moves.answer(question));
      }
    } catch (error) {
      refuse(error);
    }
  }

  /** Asks about every token of the vocabulary, once. */
  #endTokens(): readonly number[] {
    const { vocabulary } = this.#options.model;
    this.#ends ??= Array.from({ length: vocabulary.size }, (_, token) => token).filter((token) =>
      vocabulary.isEndOfGeneration(token),
    );
    return this.#ends;
  }

  #buildChat(options: ContextOptions, created: ReturnType<typeof createServingContext>): Chat {
    const { model, clock, send, waitForAnswers } = this.#options;
    const { context, tuning, speculation, needsCheckpoints, projector } = created;
    const slots = Array.from({ length: context.sequences }, (_, id) => new Slot(id, { context, needsCheckpoints }));
    const pacer = new StepPacer({ batchSize: context.batchSize, targetMs: options.stepTargetMs, idleTargetMs });
    const candidates = new Candidates(model.library, model.vocabulary.size);
    const turns = new AdapterTurns(context, this.#options.adapters, clock, options.stepTargetMs);
    const pools = this.#pools ?? new ThreadPools(model.library);
    const media =
      projector &&
      openMedia(projector, { ...options, context, slots, pools, threads: tuning.threads, pacer, turns, clock });
    const totals = new LoopTotals(pacer, () => media?.desk.encoded);
    const outbox = new Outbox(slots, () => totals.stats, send);
    const tools = { model, context, candidates, endTokens: () => this.#endTokens() };
    const loop = new StepLoop({
      machine: new NativeSteps(context, pools, tuning.threads),
      samplerOf: (job) => new RunSampler(tools, job),
      isEndOfGeneration: (token) => model.vocabulary.isEndOfGeneration(token),
      slots,
      pacer,
      clock,
      outbox,
      turns,
      media: media?.steps,
      wipe: (slot) => wipeSlot(slot, slots, context),
      // Guesses that prove wrong must be cut off again.
      guessers: needsCheckpoints ? undefined : speculation?.guessers,
      waitForAnswers,
      onStep(report) {
        totals.add(report);
        outbox.report(report);
      },
    });
    return new Chat({
      context,
      slots,
      loop,
      outbox,
      candidates,
      tuning,
      totals,
      speculation,
      needsCheckpoints,
      projector,
    });
  }
}

interface ChatParts {
  readonly context: Context;
  readonly slots: readonly Slot[];
  readonly loop: StepLoop;
  readonly outbox: Outbox;
  readonly candidates: Candidates;
  readonly tuning: Tuning;
  readonly totals: LoopTotals;
  readonly speculation: Speculation | undefined;
  readonly needsCheckpoints: boolean;
  readonly projector: Projector | undefined;
}

class Chat {
  readonly loop: StepLoop;
  readonly outbox: Outbox;
  readonly moves: SlotMoves;
  readonly #parts: ChatParts;

  constructor(parts: ChatParts) {
    const { context, slots, outbox } = parts;
    this.loop = parts.loop;
    this.outbox = outbox;
    this.moves = new SlotMoves({ context, slots, outbox });
    this.#parts = parts;
  }

  facts(steady: boolean) {
    const { context, tuning, totals, needsCheckpoints, projector } = this.#parts;
    return {
      slots: context.sequences,
      contextSize: context.contextSize,
      batchSize: context.batchSize,
      media: projector && { positions: context.model.positions },
      tuning,
      steady,
      stats: {
        ...totals.stats,
        threads: tuning.threads,
        flashAttention: tuning.flashAttention,
        ...(tuning.figures && { calibration: { origin: tuning.origin, ...tuning.figures } }),
      },
      movable: !needsCheckpoints,
    };
  }

  free(): void {
    const { context, candidates, speculation, projector } = this.#parts;
    this.loop.free();
    projector?.free();
    candidates.free();
    speculation?.free();
    context.free();
  }
}

const noThreads = { single: 1, batched: 1, prefill: 1 };
const vectorFacts = {
  slots: 0,
  contextSize: 0,
  batchSize: 0,
  media: undefined,
  tuning: { threads: noThreads, flashAttention: 'auto', origin: 'library' },
  steady: false,
  stats: {
    ...{ steps: 0, prefillTokens: 0, decodeTokens: 0, prefillRate: undefined, decodeRate: undefined },
    threads: noThreads,
    flashAttention: 'auto',
  },
  movable: false,
} as const;
