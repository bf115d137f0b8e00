import { commonPrefix } from './common-prefix.ts';
import type { SlotState } from './engine.ts';
import { outsideImages } from './image-ids.ts';

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
  const common = outsideImages(job.prompt, most);
  if (cutPoints === undefined || common === tokens.length) return common;
  return cutPoints.reduce((best, at) => (at <= common && at > best ? at : best), 0);
}

/** Scales that are not there are 0: the adapter is not applied. */
export function areAlike(left: readonly number[] = [], right: readonly number[] = []): boolean {
  for (let at = 0; at < Math.max(left.length, right.length); at++)
    if ((left[at] ?? 0) !== (right[at] ?? 0)) return false;
  return true;
}
