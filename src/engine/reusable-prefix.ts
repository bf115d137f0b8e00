import { commonPrefix } from './common-prefix.ts';
import type { SlotState } from './engine.ts';

/**
 * How many tokens of the prompt need no evaluation if the slot is cut for them, at most `most`; at least one is always
 * left to evaluate.
 */
export function reusablePrefix(
  { tokens, cutPoints }: Pick<SlotState, 'tokens' | 'cutPoints'>,
  prompt: readonly number[],
  most: number,
): number {
  const common = Math.min(commonPrefix(tokens, prompt), most, prompt.length - 1);
  if (cutPoints === undefined || common === tokens.length) return common;
  return cutPoints.reduce((best, at) => (at <= common && at > best ? at : best), 0);
}
