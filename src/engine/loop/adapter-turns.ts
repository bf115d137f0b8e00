import type { Clock } from '../../contract/services.ts';
import type { AdapterHandle } from '../../native/adapter.ts';
import type { Context } from '../../native/context.ts';
import { areAlike } from '../prefix.ts';

/** More than runs go on at once. */
const turnsRemembered = 256;

type AdaptedContext = Pick<Context, 'useAdapters'>;

interface TurnAdapter {
  readonly adapter: AdapterHandle;
}

/**
 * Runs with unlike adapters cannot share a batch: adapters are a setting of the context, and each change of it costs as
 * much as a short step. So they take turns, of at least one step target each.
 */
export class AdapterTurns {
  readonly #context: AdaptedContext;
  readonly #adapters: readonly TurnAdapter[];
  readonly #clock: Clock;
  readonly #turnMs: number;
  #scales: readonly number[] = [];
  /** Whose turn it was, the latest last. */
  #recent: readonly (readonly number[])[] = [];
  #since = 0;

  constructor(context: AdaptedContext, adapters: readonly TurnAdapter[], clock: Clock, turnMs: number) {
    this.#context = context;
    this.#adapters = adapters;
    this.#clock = clock;
    this.#turnMs = turnMs;
  }

  /** Of what the runs want that could go on now: those whose turn it is. The next turn is of who waits longest. */
  next(wanted: readonly (readonly number[])[]): readonly number[] {
    const others = wanted.filter((scales) => !areAlike(scales, this.#scales));
    if (others.length === 0) return this.#scales;
    const now = this.#clock();
    if (others.length < wanted.length && now - this.#since < this.#turnMs) return this.#scales;
    this.#since = now;
    const next = others.reduce((oldest, scales) => (this.#lastTurn(scales) < this.#lastTurn(oldest) ? scales : oldest));
    this.#recent = [...this.#recent.filter((scales) => !areAlike(scales, next)), next].slice(-turnsRemembered);
    this.#use(next);
    return next;
  }

  #lastTurn(scales: readonly number[]): number {
    return this.#recent.findIndex((each) => areAlike(each, scales));
  }

  #use(scales: readonly number[]): void {
    this.#scales = scales;
    const used = this.#adapters.flatMap(({ adapter }, index) => {
      const scale = scales[index] ?? 0;
      return scale === 0 ? [] : [{ adapter, scale }];
    });
    this.#context.useAdapters(used);
  }
}
