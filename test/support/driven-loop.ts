import type { Directive } from '../../src/engine/engine.ts';
import { ServedModel } from '../../src/engine/loop/served-model.ts';
import type { ContextOptions, WireJob } from '../../src/engine/remote/protocol.ts';
import { Interrupt } from '../../src/native/interrupt.ts';
import { Model } from '../../src/native/model.ts';
import { greedy } from '../engine-contract/subject.ts';
import { demoModelPath } from './demo-engine.ts';
import { library } from './native.ts';
import { StepLog } from './step-log.ts';

const usualOptions: ContextOptions = {
  contextSize: 512,
  slots: 3,
  batchSize: 64,
  microBatchSize: undefined,
  threads: 1,
  promptThreads: undefined,
  pool: {},
  flashAttention: false,
  keyType: undefined,
  valueType: undefined,
  unified: undefined,
  fullWindows: undefined,
  rope: undefined,
  speculation: undefined,
  projector: undefined,
  stepTargetMs: 50,
  remembered: undefined,
};

const mostSteps = 5000;

/**
 * The engine's loop on the demo model or another one, driven by hand: nothing happens but by `step`, and messages come when the test
 * gives them. Steps take no time, so pieces of prompts are of 64 tokens; enough passes between two that each is told.
 */
export class DrivenLoop extends StepLog {
  readonly interrupt = Interrupt.create(library);
  readonly model: Model;
  /** Called when the loop waits for answers. */
  onWait: () => void = () => undefined;
  /** Milliseconds that pass each time the clock is looked at. */
  tick = 0;
  readonly #served: ServedModel;
  #now = 0;

  /** `interrupted`: before the context is there, as by a signal that ends the start. */
  constructor(changes: Partial<ContextOptions> = {}, modelPath = demoModelPath, { interrupted = false } = {}) {
    super();
    if (interrupted) this.interrupt.raise();
    this.model = Model.load(library, modelPath, { gpuLayers: 0 });
    this.#served = new ServedModel({
      ...{ model: this.model, interrupt: this.interrupt, adapters: [], clock: () => (this.#now += this.tick) },
      send: this.add,
      waitForAnswers: () => this.onWait(),
    });
    this.#served.openContext({ ...usualOptions, ...changes });
  }

  tokens(text: string): number[] {
    return [...this.model.vocabulary.tokenize(text, true)];
  }

  run(run: number, job: Partial<WireJob> & Pick<WireJob, 'prompt'>): void {
    const whole = { slot: 0, reuse: 0, sampling: greedy, maxTokens: 8, ignoreEos: true, ...job };
    this.#served.take({ type: 'run', run, job: whole });
  }

  abort(run: number): void {
    this.#served.take({ type: 'abort', run });
  }

  /** False: there was nothing to do. */
  step(): boolean {
    this.#now += 100;
    return this.#served.advance();
  }

  answer(step: number, run: number, directives: readonly Directive[] = []): void {
    this.#served.take({ type: 'directives', step, runs: [{ run, directives }] });
  }

  /** What was delivered lately is answered by nothing. */
  answerAll(): void {
    for (const { step, delivered } of this.news()) if (delivered) this.answer(step, delivered[0]?.run ?? 0);
  }

  /** Every delivery is answered at once, by nothing, until nothing is left to do. */
  finish(): void {
    this.onWait = () => this.answerAll();
    for (let steps = 0, idle = false; !idle; this.answerAll()) {
      if (++steps > mostSteps) throw new Error(`The loop has not come to rest in ${mostSteps} steps.`);
      idle = !this.step() && this.isRead;
    }
  }

  free(): void {
    this.#served.free();
    this.model.free();
    this.interrupt.free();
  }
}
