import type { Deferred } from '../contract/deferred.ts';
import type { Admission } from './admission.ts';

/**
 * A request's stay on a slot, from the moment that the slot is chosen, through preparing and running, to its release; and
 * after that as long as the slot's tokens are its own.
 */
export interface Stay {
  readonly slot: number;
  readonly admission: Admission;
  /** Counts up: a stay waits only for those before it, so nobody waits in a circle. */
  readonly sequence: number;
  /** Its prompt's state is being brought in; the run comes after. */
  preparing: boolean;
  /** Settles when its run has begun. */
  readonly begun: Deferred<void>;
  /** Aborts when the slot is given back; made by the first neighbour that waits for it. */
  released?: AbortController;
  /** Who may use the tokens that it has on the slot; undefined: nobody. */
  scope: string | undefined;
  /** When its tokens were used last. */
  usedAt: number;
  /** Its conversation goes on as soon as its tools have run. */
  comesBack?: boolean;
}
