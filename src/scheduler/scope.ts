import { commonPrefix } from '../engine/prefix.ts';

/**
 * Evaluated tokens and who may use them: requests of the same scope. Undefined: nobody. For all others they are not
 * there, so that nothing (a count of cached tokens, a wait, the choice of a slot) tells whether a guess of them is right.
 */
export interface Scoped {
  readonly tokens: readonly number[];
  readonly scope: string | undefined;
}

function isSameScope(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one === other;
}

/** How many of these tokens a request of the scope finds there. */
export function sharedWithin(scope: string | undefined, tokens: readonly number[], there: Scoped): number {
  return isSameScope(scope, there.scope) ? commonPrefix(tokens, there.tokens) : 0;
}
