import type { Directive } from '../../src/engine/engine.ts';
import { AdapterTurns } from '../../src/engine/loop/adapter-turns.ts';
import { checkNumbers } from '../../src/engine/loop/no-numbers.ts';
import { Outbox } from '../../src/engine/loop/outbox.ts';
import type { RunSampling } from '../../src/engine/loop/run-sampler.ts';
import { Slot } from '../../src/engine/loop/slot.ts';
import type { StepMachine } from '../../src/engine/loop/step-batch.ts';
import { StepLoop, type StepLoopOptions } from '../../src/engine/loop/step-loop.ts';
import { wipeSlot } from '../../src/engine/loop/wipe-slot.ts';
import type { WireJob } from '../../src/engine/remote/protocol.ts';
import { StepPacer } from '../../src/engine/step-pacer.ts';
import { greedy } from '../engine-contract/subject.ts';
import { StepLog } from '../support/step-log.ts';
import { FakeMemory } from './support.ts';

interface Placed {
  readonly token: number;
  readonly sequence: number;
  readonly position: number;
  readonly output: boolean;
}

/** A model whose next token is always one more than the last; tokens above 90 end an answer. */
const lastToken = 90;
const vocabularySize = 100;
/** A token behind which a sequence's memory holds values that are no numbers, for whoever has it next too. */
export const noNumber = 95;

/** Decodes by writing down what it was given. */
class ScriptedMachine implements StepMachine {
  readonly batchSize = 8;
  readonly outputs = 8;
  /** What comes of the next decodes; then they are done. */
  readonly outcomes: (ReturnType<StepMachine['decode']> | Error)[] = [];
  /** Tokens of each decode, as `sequence: tokens`. */
  readonly decoded: string[] = [];
  /** Called in the middle of a decode. */
  during: () => void = () => undefined;
  readonly #memory: FakeMemory;
  #batch: Placed[] = [];

  constructor(memory: FakeMemory) {
    this.#memory = memory;
  }

  clear(): void {
    this.#batch = [];
  }

  add(token: number, position: number, sequence: number, output: boolean): number {
    return this.#batch.push({ token, sequence, position, output }) - 1;
  }

  decode() {
    const outcome = this.outcomes.shift() ?? 'done';
    this.during();
    if (outcome instanceof Error) throw outcome;
    if (outcome !== 'done') return outcome;
    const sequences = [...new Set(this.#batch.map(({ sequence }) => sequence))];
    const told = sequences.map((sequence) => {
      const mine = this.#batch.filter((placed) => placed.sequence === sequence);
      if (mine.some(({ token }) => token === noNumber)) this.#memory.spoilt.add(sequence);
      this.#memory.lengths[sequence] = (mine.at(-1)?.position ?? 0) + 1;
      return `${sequence}: ${mine.map(({ token }) => token).join(' ')}`;
    });
    this.decoded.push(told.join(', '));
    return outcome;
  }

  logits(place: number): Float32Array {
    const placed = this.#batch[place];
    if (!placed?.output) throw new Error(`Place ${place} is no output.`);
    if (this.#memory.spoilt.has(placed.sequence)) return new Float32Array(vocabularySize).fill(Number.NaN);
    return new Float32Array(vocabularySize).fill(1, placed.token + 1, placed.token + 2);
  }

  free(): void {}
}

function sampling(machine: ScriptedMachine): RunSampling {
  const sampleFrom = (logits: Float32Array) => {
    checkNumbers(logits);
    return logits.indexOf(1);
  };
  return {
    grammarActive: false,
    setGrammar: () => undefined,
    accept: () => undefined,
    free: () => undefined,
    sampleFrom,
    sample: (place) => sampleFrom(machine.logits(place)),
    logits: (place) => machine.logits(place),
    logprob: (_, token) => ({ token, text: '', bytes: [], logprob: 0, top: [] }),
  };
}

/** The step loop over a scripted machine: nothing happens but by `step`, and requests answer when the test says so. */
export class ScriptedLoop extends StepLog {
  readonly memory = new FakeMemory(2);
  readonly machine = new ScriptedMachine(this.memory);
  readonly slots = [0, 1].map((id) => new Slot(id, { context: this.memory, needsCheckpoints: false }));
  readonly loop: StepLoop;
  /** Called when the loop waits for answers. */
  onWait: () => void = () => undefined;
  #now = 0;

  constructor(media?: (slots: readonly Slot[]) => StepLoopOptions['media']) {
    super();
    const clock = () => this.#now;
    this.loop = new StepLoop({
      machine: this.machine,
      samplerOf: () => sampling(this.machine),
      isEndOfGeneration: (token) => token > lastToken,
      slots: this.slots,
      pacer: new StepPacer({ batchSize: 8, targetMs: 50, idleTargetMs: 400 }),
      turns: new AdapterTurns({ useAdapters: () => undefined }, [], clock, 50),
      clock,
      outbox: new Outbox(
        this.slots,
        () => ({ steps: 0, prefillTokens: 0, decodeTokens: 0, prefillRate: undefined, decodeRate: undefined }),
        this.add,
      ),
      media: media?.(this.slots),
      wipe: (slot) => wipeSlot(slot, this.slots, this.memory),
      guessers: undefined,
      waitForAnswers: () => this.onWait(),
      onStep: () => undefined,
    });
  }

  run(run: number, job: Partial<WireJob> = {}): void {
    const whole = {
      slot: 0,
      prompt: Int32Array.of(1, 2, 3),
      reuse: 0,
      sampling: greedy,
      maxTokens: 4,
      ignoreEos: false,
    };
    this.loop.join(run, { ...whole, ...job });
  }

  /** False: there was nothing to do. Enough time passes between two that each is told. */
  step(): boolean {
    this.#now += 100;
    return this.loop.step();
  }

  /** Answers everything that was told since the last time. */
  answer(directives: (run: number) => readonly Directive[] = () => []): void {
    for (const { step, delivered = [] } of this.news()) {
      const runs = [...new Set(delivered.map(({ run }) => run))];
      if (runs.length > 0)
        this.loop.answered(
          step,
          runs.map((run) => ({ run, directives: directives(run) })),
        );
    }
  }

  /** Steps and answers until nothing is left to do. */
  finish(): void {
    this.onWait = () => this.answer();
    for (let steps = 0; this.step() || !this.isRead; this.answer())
      if (++steps > 1000) throw new Error('The loop has not come to rest in 1000 steps.');
  }

  numbersOf(run: number): number[] {
    return this.tokensOf(run).map(({ token }) => token);
  }
}
