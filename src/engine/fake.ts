import { nextTick } from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ServeError } from '../contract/errors.ts';
import { checkPrompt } from './check-job.ts';
import type { Engine, EngineJob, EngineRun, Snapshot } from './engine.ts';
import type { FakeModel, FakeSlot, Scripted } from './fake/run.ts';
import { FakeRun, letterAfter } from './fake/run.ts';
import { fakeSnapshots } from './fake/snapshots.ts';
import type { FakeVocabulary } from './fake/vocabulary.ts';
import { createFakeVocabulary } from './fake/vocabulary.ts';
import { reusablePrefix, whenHeld } from './prefix.ts';

export interface FakeEngineOptions {
  readonly slots?: number;
  /** Tokens per slot. */
  readonly contextSize?: number;
  /** Prompt tokens that all runs together may evaluate in one step. */
  readonly stepTokens?: number;
  /**
   * What the model says: a text or tokens for every prompt, or a function of the job. After them comes the end of
   * generation. Without it (undefined) the model never ends and says letters that depend on all that its slot holds, so that a
   * slot with a wrong prefix answers differently.
   */
  readonly answer?: FakeAnswer | ((job: EngineJob) => FakeAnswer | undefined);
  /** `automatic`: steps follow each other, one per turn of the event loop, while there is work. `manual`: only `step()`. */
  readonly stepping?: 'automatic' | 'manual';
  /** False: an engine that has none. `slow`: each operation happens with the next step instead of at once. */
  readonly snapshots?: boolean | 'slow';
  /** Given: slot state can be kept in files, which belong to this fingerprint. */
  readonly fingerprint?: string;
  readonly vocabulary?: FakeVocabulary;
  /** Tokens per second as `stats` tells them. */
  readonly prefillRate?: number;
  readonly decodeRate?: number;
}

type FakeAnswer = string | readonly Scripted[];

const oneThread = { single: 1, batched: 1, prefill: 1 };

/** Milliseconds that a step takes on the fake's own clock, which promptMs and predictedMs are measured with. */
const stepMs = 1;

export interface FakeEngine extends Engine {
  readonly text: FakeVocabulary;
  /** Every job ever run, in order. */
  readonly jobs: readonly EngineJob[];
  /** Snapshots that were saved and not dropped. */
  readonly snapshotsKept: ReadonlySet<Snapshot>;
  /** One step, and everything that it sets off by promises alone: no turn of the event loop. */
  step(): Promise<void>;
  /** Steps until no run is left that could advance. */
  runUntilIdle(): Promise<void>;
  /** The next step fails as a whole: every run of it rejects. */
  failNextStep(error?: ServeError): void;
}

/** A scripted engine behind the real interface: exact tokens, no model, no time but its steps. */
export function createFakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  return new ScriptedEngine(options).engine;
}

class ScriptedEngine {
  readonly engine: FakeEngine;
  readonly #options: FakeEngineOptions;
  readonly #slots: readonly FakeSlot[];
  readonly #contextSize: number;
  readonly #stepTokens: number;
  readonly #text: FakeVocabulary;
  readonly #watchers = new Set<() => void>();
  readonly #jobs: EngineJob[] = [];
  readonly #between: (() => void)[] = [];
  #counters = { steps: 0, prefillTokens: 0, decodeTokens: 0 };
  #failure: ServeError | undefined;
  #looping = false;
  #disposed = false;

  constructor(options: FakeEngineOptions) {
    this.#options = options;
    this.#contextSize = options.contextSize ?? 4096;
    this.#stepTokens = options.stepTokens ?? 512;
    this.#text = options.vocabulary ?? createFakeVocabulary();
    this.#slots = Array.from({ length: options.slots ?? 4 }, (_, id) => ({
      id,
      tokens: [],
      phase: 'idle' as const,
      run: undefined,
    }));
    this.engine = this.#build();
  }

  #build(): FakeEngine {
    const { snapshots = true } = this.#options;
    const watch = (check: () => void) => {
      this.#watchers.add(check);
      return () => void this.#watchers.delete(check);
    };
    const access = fakeSnapshots(this.#slots, (work) => this.#betweenSteps(work), this.#options.fingerprint);
    return {
      info: {
        slots: this.#slots.length,
        contextSize: this.#contextSize,
        batchSize: this.#stepTokens,
        vocabularySize: this.#text.size,
        device: 'fake',
        isEndOfGeneration: (token) => token === this.#text.endToken,
      },
      text: this.#text,
      snapshots: snapshots === false ? undefined : access,
      snapshotsKept: access.kept,
      jobs: this.#jobs,
      slots: () => this.#slots,
      run: (job) => this.#run(job),
      whenHeld: (slot, tokens, signal) => whenHeld(watch, this.#slotAt(slot), tokens, signal),
      stats: () => ({
        steps: this.#counters.steps,
        prefillTokens: this.#counters.prefillTokens,
        decodeTokens: this.#counters.decodeTokens,
        prefillRate: this.#options.prefillRate,
        decodeRate: this.#options.decodeRate,
        threads: oneThread,
        flashAttention: false,
      }),
      step: async () => {
        this.#step();
        // Called when no promise is left that could go on; a turn of the event loop costs four times as much.
        await new Promise<void>((settled) => nextTick(settled));
      },
      runUntilIdle: () => this.#runUntilIdle(),
      failNextStep: (error) => {
        this.#failure = error ?? new ServeError('engine_failure', 'The engine failed to decode a batch.');
      },
      dispose: async () => {
        this.#disposed = true;
        this.#failAll(new ServeError('engine_failure', 'The model was unloaded while this request was running.'));
      },
    };
  }

  #run(job: EngineJob): EngineRun {
    const slot = this.#slotAt(job.slot);
    if (this.#disposed) throw new ServeError('engine_failure', 'The model is unloaded.');
    if (slot.run) throw new ServeError('internal', `Slot ${job.slot} already has a run.`);
    checkPrompt(job.prompt, this.engine.info);
    if (job.prompt.length === 0 || job.prompt.length > this.#contextSize)
      throw new ServeError('internal', `A prompt of ${job.prompt.length} tokens on a slot of ${this.#contextSize}.`);
    this.#jobs.push(job);
    const cachedTokens = reusablePrefix(slot, job);
    slot.tokens = slot.tokens.slice(0, cachedTokens);
    const run = new FakeRun({
      job,
      slot,
      cachedTokens,
      contextSize: this.#contextSize,
      model: this.#modelFor(job),
      text: this.#text,
      clock: () => this.#counters.steps * stepMs,
    });
    const wake = () => this.#wake();
    job.signal.addEventListener('abort', wake);
    const forget = () => job.signal.removeEventListener('abort', wake);
    run.done.then(forget, forget);
    this.#tellWatchers();
    this.#wake();
    return {
      cachedTokens,
      done: run.done,
      pause: () => {
        run.paused = true;
      },
      resume: () => {
        run.paused = false;
        this.#wake();
      },
    };
  }

  #tellWatchers(): void {
    for (const check of [...this.#watchers]) check();
  }

  #step(): void {
    this.#counters.steps++;
    for (const work of this.#between.splice(0)) work();
    for (const slot of this.#slots) if (slot.run?.signal.aborted) slot.run.fail(slot.run.signal.reason);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) this.#failAll(failure);
    this.#advance();
    this.#tellWatchers();
  }

  /** Shortest remaining prompt first, within the budget of the step; then one token for everybody who was decoding. */
  #advance(): void {
    const running = this.#slots.flatMap((slot) => (slot.run && !slot.run.paused ? [slot.run] : []));
    const prefilling = running.filter((run) => run.remaining > 0).sort((one, other) => one.remaining - other.remaining);
    const decoding = running.filter((run) => run.remaining === 0);
    let budget = this.#stepTokens;
    for (const run of prefilling) {
      const tokens = Math.min(budget, run.remaining);
      if (tokens === 0) break;
      budget -= tokens;
      this.#counters.prefillTokens += tokens;
      run.prefill(tokens);
    }
    for (const run of decoding) this.#counters.decodeTokens += run.decode();
  }

  #failAll(reason: ServeError): void {
    for (const slot of this.#slots) slot.run?.fail(reason);
    this.#tellWatchers();
  }

  async #runUntilIdle(): Promise<void> {
    while (this.#hasWork()) {
      this.#step();
      await nextTurn();
    }
  }

  #hasWork(): boolean {
    const advancing = (slot: FakeSlot) => slot.run !== undefined && (!slot.run.paused || slot.run.signal.aborted);
    return this.#between.length > 0 || this.#slots.some(advancing);
  }

  #wake(): void {
    if (this.#looping || this.#options.stepping === 'manual') return;
    this.#looping = true;
    void this.#loop();
  }

  async #loop(): Promise<void> {
    await nextTurn();
    await this.#runUntilIdle();
    this.#looping = false;
  }

  async #betweenSteps<Result>(work: () => Result): Promise<Result> {
    if (this.#options.snapshots !== 'slow') return work();
    return new Promise((resolve, reject) => {
      this.#between.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      this.#wake();
    });
  }

  #modelFor(job: EngineJob): FakeModel {
    const { answer } = this.#options;
    const given = typeof answer === 'function' ? answer(job) : answer;
    if (given === undefined) return letterAfter;
    const script = typeof given === 'string' ? this.#text.encode(given) : given;
    let next = 0;
    return () => {
      const move = script[next++] ?? { type: 'end-of-generation' };
      const ends = move === this.#text.endToken || (typeof move === 'object' && move.type === 'end-of-generation');
      if (!ends) return move;
      return job.ignoreEos ? (this.#text.encode(' ')[0] ?? 0) : { type: 'end-of-generation' };
    };
  }

  #slotAt(id: number): FakeSlot {
    const slot = this.#slots[id];
    if (!slot) throw new ServeError('internal', `Slot ${id} does not exist; the engine has ${this.#slots.length}.`);
    return slot;
  }
}
