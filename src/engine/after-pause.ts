/** What one thread takes for a batch, in milliseconds. */
export interface OneThreadCosts {
  readonly perToken: number;
  /** On top of its tokens: its logits and the sampling. */
  readonly perSequence: number;
}

export interface BatchSize {
  readonly tokens: number;
  readonly sequences: number;
}

/** Behind a pause of 20 ms threads were still put together, though Linux forgets half of a thread's load in 32 ms only. */
const pauseMs = 5;
/**
 * Until the first 20 tokens were there, by the length of this: four streams 30 ms 75, 60 ms 73, 100 ms 77; eight 251, 151
 * and 143.
 */
const warmUpMs = 80;
/** A longer batch outlasts the moment at which threads are spread anyway. */
const longestAloneMs = 25;
/** Several threads that take so many times what one would are not spread. */
const muchSlower = 2.5;
/** One slow batch means nothing; two so near each other were the beginning of 30, over most of a second. */
const nearMs = 100;
const smoothing = 0.3;

/**
 * Threads for the first moments after a pause, where one thread was measured to be quicker there than several.
 *
 * ggml starts its workers anew for every batch. Kernels that keep idle cores asleep put a new thread on its starter's
 * core as long as that one does not look busy, and there the two wait for each other at every barrier: after a pause
 * two threads on two cores took 60 to 110 ms for what one does in 30, and this for up to a second. One thread alone keeps
 * its core so busy that workers are spread once there are several. Every answer begins with such moments: 2 layers, four
 * streams, the first 20 tokens of each after a pause 248 ms, with this 77; the first token of a short prompt 15 ms, with
 * this 7.5 (2 cores of a virtual machine).
 */
export class AfterPause {
  readonly #costs: OneThreadCosts | undefined;
  #busySince = Number.NEGATIVE_INFINITY;
  #busyUntil = Number.NEGATIVE_INFINITY;
  #slowAt = Number.NEGATIVE_INFINITY;
  /** What batches on one thread took last, by what was measured in an empty context: more behind many tokens. */
  #aloneRatio = 1;

  /** Undefined: several threads are never worse. */
  constructor(costs: OneThreadCosts | undefined) {
    this.#costs = costs;
  }

  /** For a batch that begins now and would be computed by `planned` threads. Milliseconds. */
  threadsFor(planned: number, batch: BatchSize, now: number): number {
    if (now - this.#busyUntil > pauseMs) this.#busySince = now;
    const isWarm = now - this.#busySince >= warmUpMs;
    if (this.#costs === undefined || isWarm) return planned;
    return millisecondsAlone(this.#costs, batch) > longestAloneMs ? planned : 1;
  }

  /** It took so many milliseconds, its sampling included. Threads that are not spread any more are as after a pause. */
  batchEnded(threads: number, batch: BatchSize, milliseconds: number, now: number): void {
    this.#busyUntil = now;
    if (this.#costs === undefined) return;
    const ratio = milliseconds / millisecondsAlone(this.#costs, batch);
    if (threads === 1) this.#aloneRatio += (ratio - this.#aloneRatio) * smoothing;
    else if (ratio > muchSlower * this.#aloneRatio) {
      if (now - this.#slowAt < nearMs) this.#busySince = now;
      this.#slowAt = now;
    }
  }
}

function millisecondsAlone({ perToken, perSequence }: OneThreadCosts, { tokens, sequences }: BatchSize): number {
  return tokens * perToken + sequences * perSequence;
}
