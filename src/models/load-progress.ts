import type { LoadPhase, LoadProgress } from '../contract/control.ts';
import type { Clock } from '../contract/services.ts';
import type { FileProfile } from './profile.ts';

/** How far the load of a model is. */
export class LoadProgressReport {
  readonly #clock: Clock;
  #now: { readonly phase: LoadPhase; readonly fraction: number; readonly since: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(phase: LoadPhase, fraction: number): void {
    this.#now = { phase, fraction, since: this.#now?.phase === phase ? this.#now.since : this.#clock() };
  }

  end(): void {
    this.#now = undefined;
  }

  /** undefined while nothing is loading. */
  of({ id, sizeBytes }: Pick<FileProfile, 'id' | 'sizeBytes'>): LoadProgress | undefined {
    if (!this.#now) return undefined;
    const { phase, fraction, since } = this.#now;
    const elapsed = (this.#clock() - since) / 1000;
    return {
      model: id,
      phase,
      fraction,
      bytesTotal: sizeBytes,
      bytesLoaded: phase === 'load' || phase === 'mmap' ? Math.round(sizeBytes * fraction) : sizeBytes,
      etaSeconds: fraction > 0.01 ? Math.ceil((elapsed * (1 - fraction)) / fraction) : undefined,
    };
  }
}
