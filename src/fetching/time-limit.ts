import { ServeError } from '../contract/errors.ts';
import type { Timers } from '../contract/services.ts';
import { following } from '../contract/signals.ts';
import { refused } from './places.ts';

export interface TimeLimit {
  /** The caller's signal, and the time's. */
  readonly signal: AbortSignal;
  /** No limit from now on; the caller's signal goes on to count. */
  disarm(): void;
  /** Nothing counts any more, and whatever still waits goes. */
  stop(): void;
}

export interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly param?: string | undefined;
}

export function limitTime(timers: Timers, { timeoutMs, signal, param }: Limits): TimeLimit {
  const { controller, unfollow } = following(signal);
  const disarm = timers.after(timeoutMs, () =>
    controller.abort(refused(`There was no answer within ${timeoutMs / 1000} s, the limit.`, param)),
  );
  return {
    signal: controller.signal,
    disarm,
    stop() {
      disarm();
      unfollow();
      controller.abort(new ServeError('cancelled', 'Nobody waits for it any more.'));
    },
  };
}
