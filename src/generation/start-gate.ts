import { createDeferred, type Deferred } from '../contract/deferred.ts';
import { ServeError } from '../contract/errors.ts';
import type { Timers } from '../contract/services.ts';
import type { QueuePlace } from '../scheduler/admission.ts';

export interface StartGateSettings {
  /** Requests that may wait, all together. */
  readonly maxQueue: number;
  readonly queueTimeoutMs: number;
}

interface Waiting {
  readonly gate: Deferred<void>;
  readonly onPlace: ((place: QueuePlace) => void) | undefined;
  /** The last that it was told. */
  position: number;
}

/**
 * Where generations wait while the server starts: its address is known before its first model is downloaded and loaded.
 * In order, bounded in number and time like the queue for a slot, which they come to afterwards.
 */
export class StartGate {
  readonly #settings: StartGateSettings;
  readonly #timers: Timers;
  readonly #waiting = new Set<Waiting>();
  #open = false;

  constructor(settings: StartGateSettings, timers: Timers) {
    this.#settings = settings;
    this.#timers = timers;
  }

  /** From now on everybody passes. */
  open(): void {
    this.#open = true;
    for (const { gate } of this.#takeAll()) gate.resolve();
  }

  /** There will be no first model by itself: who waits is told why, who comes later passes and is told what there is. */
  fail(reason: ServeError): void {
    this.#open = true;
    for (const { gate } of this.#takeAll()) gate.reject(reason);
  }

  /**
   * Settles when there is a model. Rejects with overloaded when too many wait, with model_loading when it takes too long,
   * with the reason of a start that failed, or with the signal's.
   */
  async pass(signal: AbortSignal, onPlace?: (place: QueuePlace) => void): Promise<void> {
    signal.throwIfAborted();
    if (this.#open) return;
    const { maxQueue, queueTimeoutMs } = this.#settings;
    if (this.#waiting.size >= maxQueue)
      throw new ServeError(
        'overloaded',
        `The model is still being loaded, and ${this.#waiting.size} requests wait for it already, the limit (--max-queue).`,
        { retryAfterSeconds: 2 },
      );
    const waiting: Waiting = { gate: createDeferred(), onPlace, position: 0 };
    const onAbort = () => waiting.gate.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const disarm = this.#timers.after(queueTimeoutMs, () => waiting.gate.reject(tooLong(queueTimeoutMs)));
    this.#waiting.add(waiting);
    this.#tellPlaces();
    try {
      await waiting.gate.promise;
    } finally {
      disarm();
      signal.removeEventListener('abort', onAbort);
      if (this.#waiting.delete(waiting)) this.#tellPlaces();
    }
  }

  #takeAll(): Waiting[] {
    const all = [...this.#waiting];
    this.#waiting.clear();
    return all;
  }

  #tellPlaces(): void {
    for (const [index, waiting] of [...this.#waiting].entries()) {
      if (waiting.position === index + 1) continue;
      waiting.position = index + 1;
      waiting.onPlace?.({ position: index + 1, etaMs: undefined });
    }
  }
}

function tooLong(milliseconds: number): ServeError {
  return new ServeError(
    'model_loading',
    `The model was not loaded within ${Math.round(milliseconds / 1000)} s, the limit for waiting (--queue-timeout). GET /health tells how far it is.`,
    { retryAfterSeconds: 5 },
  );
}
