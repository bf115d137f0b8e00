import type { Clock, Timers } from '../contract/services.ts';
import { neverAborted } from '../contract/signals.ts';

/** A broken engine is loaded anew at once, but not more often than this: it may break again at the same request. */
const reviveEveryMs = 60_000;
/** After so many failed loads in a row it is left alone, until somebody asks for it. */
const mostRevivals = 3;

/** What a model that broke is to somebody who loads it anew. */
export interface Revivable {
  readonly id: string;
  readonly isBroken: boolean;
  load(signal: AbortSignal): Promise<unknown>;
}

/** Loads models anew whose engine broke. */
export class Revivals {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #isClosing: () => boolean;
  /** When, by the model's id. */
  readonly #revived = new Map<string, number>();

  constructor(time: { readonly clock: Clock; readonly timers: Timers }, isClosing: () => boolean) {
    this.#clock = time.clock;
    this.#timers = time.timers;
    this.#isClosing = isClosing;
  }

  revive(resident: Revivable, attempt = 1): void {
    const revive = () => {
      if (this.#isClosing() || !resident.isBroken) return;
      this.#revived.set(resident.id, this.#clock());
      resident.load(neverAborted()).catch(() => {
        if (attempt < mostRevivals) this.revive(resident, attempt + 1);
      });
    };
    const last = this.#revived.get(resident.id);
    const wait = last === undefined ? 0 : last + reviveEveryMs - this.#clock();
    if (wait <= 0) revive();
    else this.#timers.after(wait, revive);
  }
}
