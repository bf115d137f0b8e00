import { ServeError } from '../../contract/errors.ts';
import type { GenerationEvent } from '../../contract/events.ts';

export interface ChoiceEvent {
  readonly choice: number;
  readonly event: GenerationEvent;
}

interface Settled {
  readonly choice: number;
  readonly result?: IteratorResult<GenerationEvent, unknown>;
  readonly error?: unknown;
}

/**
 * The events of several choices as they come, each choice's own order kept. At most one event per choice is read ahead,
 * so a slow reader slows every choice down; a choice that still waits for its slot holds up none of the others.
 */
export class ChoiceEvents {
  readonly #iterators: readonly AsyncIterator<GenerationEvent>[];
  readonly #atOnce: number;
  #begun = 0;
  readonly #ready: Settled[] = [];
  #waiting: ((settled: Settled) => void) | undefined;
  #running: number;
  #last: GenerationEvent['type'][];

  /** `atOnce`: so many run side by side, the others begin as these finish. */
  constructor(choices: readonly AsyncIterable<GenerationEvent>[], atOnce: number = choices.length) {
    this.#atOnce = Math.max(1, atOnce);
    this.#iterators = choices.map((choice) => choice[Symbol.asyncIterator]());
    this.#running = choices.length;
    this.#last = choices.map(() => 'start');
  }

  /** Undefined after every choice has finished. Throws what a choice threw. */
  async next(): Promise<ChoiceEvent | undefined> {
    if (this.#begun === 0) for (let count = 0; count < this.#atOnce; count++) this.#begin();
    while (this.#running > 0) {
      const { choice, result, error } = this.#ready.shift() ?? (await this.#nextSettled());
      if (error !== undefined || result === undefined) throw error;
      if (!result.done) {
        this.#last[choice] = result.value.type;
        this.#read(choice);
        return { choice, event: result.value };
      }
      this.#running -= 1;
      if (this.#last[choice] !== 'finish')
        throw new ServeError('internal', 'The generation ended without its finish event.');
      this.#begin();
    }
    return undefined;
  }

  /** Leaves every choice. Settles, and never rejects, when the pending steps are over. */
  async leave(): Promise<void> {
    this.#running = 0;
    await Promise.allSettled(this.#iterators.map((iterator) => iterator.return?.()));
  }

  #begin(): void {
    if (this.#begun < this.#iterators.length) this.#read(this.#begun++);
  }

  #nextSettled(): Promise<Settled> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #read(choice: number): void {
    this.#iterators[choice]?.next().then(
      (result) => this.#settle({ choice, result }),
      (error: unknown) =>
        this.#settle({ choice, error: error ?? new ServeError('internal', 'The generation failed.') }),
    );
  }

  #settle(settled: Settled): void {
    const waiting = this.#waiting;
    if (!waiting) {
      this.#ready.push(settled);
      return;
    }
    this.#waiting = undefined;
    waiting(settled);
  }
}
