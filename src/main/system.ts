import { randomBytes, randomInt } from 'node:crypto';
import type { Clock, Timers } from '../contract/services.ts';
import { systemTimers } from '../contract/system-timers.ts';

/** Time, ids and randomness: made here, handed to every room. */
export interface System {
  /** Milliseconds, monotonic. */
  readonly clock: Clock;
  readonly unixMilliseconds: () => number;
  readonly timers: Timers;
  /** 32 random hex digits. */
  readonly newId: () => string;
  /** 0 to 2^32 - 2: the highest one would have the sampler draw its own, which nobody could tell. */
  readonly drawSeed: () => number;
}

export const realSystem: System = {
  clock: () => performance.now(),
  unixMilliseconds: () => Date.now(),
  timers: systemTimers,
  newId: () => randomBytes(16).toString('hex'),
  drawSeed: () => randomInt(0, 2 ** 32 - 1),
};

/** Settles after so much time. */
export function elapsed({ timers }: Pick<System, 'timers'>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => timers.after(milliseconds, resolve));
}
