import type { SlotState } from './engine.ts';
import { outsideMedia } from './media-ids.ts';

/** How many leading tokens two sequences share; an image or a sound only whole. */
export function commonPrefix(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const end = Math.min(left.length, right.length);
  let length = 0;
  while (length < end && left[length] === right[length]) length++;
  // The longer one tells whether the place lies within one.
  return outsideMedia(left.length > right.length ? left : right, length);
}

interface Reader {
  readonly prompt: ArrayLike<number>;
  /** At most this much may be reused. */
  readonly reuse: number;
  readonly adapters?: readonly number[];
}

/**
 * How many tokens of the prompt need no evaluation if the slot is cut for them; at least one is always left to evaluate,
 * and all of them where the slot's were evaluated with other adapters.
 */
export function reusablePrefix(slot: Pick<SlotState, 'tokens' | 'cutPoints' | 'adapters'>, job: Reader): number {
  const { tokens, cutPoints } = slot;
  if (!areAlike(slot.adapters, job.adapters)) return 0;
  const most = Math.min(commonPrefix(tokens, job.prompt), job.reuse, job.prompt.length - 1);
  const common = outsideMedia(job.prompt, most);
  if (cutPoints === undefined || common === tokens.length) return common;
  return cutPoints.reduce((best, at) => (at <= common && at > best ? at : best), 0);
}

/** Scales that are not there are 0: the adapter is not applied. */
export function areAlike(left: readonly number[] = [], right: readonly number[] = []): boolean {
  for (let at = 0; at < Math.max(left.length, right.length); at++)
    if ((left[at] ?? 0) !== (right[at] ?? 0)) return false;
  return true;
}

interface HoldingSlot {
  readonly tokens: readonly number[];
  readonly run: { readonly job: { readonly prompt: readonly number[] }; readonly done: Promise<unknown> } | undefined;
}

/** Engine.whenHeld over a live slot. `watch`: calls back whenever slots may have changed, until unsubscribed. */
export function whenHeld<Slot extends HoldingSlot>(
  watch: (callback: () => void) => () => void,
  slot: Slot | undefined,
  tokens: number,
  signal: AbortSignal,
): Promise<boolean> {
  let run: Slot['run'];
  return new Promise((resolve, reject) => {
    const check = () => {
      if (!run && slot?.run) {
        run = slot.run;
        run.done.then(check, check);
      }
      const held = run !== undefined && slot !== undefined && commonPrefix(slot.tokens, run.job.prompt) >= tokens;
      if (signal.aborted) settle(() => reject(signal.reason));
      else if (held) settle(() => resolve(true));
      else if (!slot || (run && slot.run !== run)) settle(() => resolve(false));
    };
    const unwatch = watch(check);
    const settle = (outcome: () => void) => {
      unwatch();
      signal.removeEventListener('abort', check);
      outcome();
    };
    signal.addEventListener('abort', check, { once: true });
    check();
  });
}
