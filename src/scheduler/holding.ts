import type { Deferred } from '../contract/deferred.ts';
import type { Admission } from './admission.ts';

/** A slot that somebody has: from the moment it is chosen, through preparing and running, until the release. */
export interface Holding {
  readonly slot: number;
  readonly ask: Admission;
  /** Counts up: a holding waits only for those before it, so nobody waits in a circle. */
  readonly sequence: number;
  /** Its prompt's state is being brought in; the run comes after. */
  preparing: boolean;
  /** Settles when its run has begun. */
  readonly begun: Deferred<void>;
  /** Aborts when the slot is given back; made by the first neighbour that waits for it. */
  released?: AbortController;
}

/** What is remembered about a slot's last tenant while the slot keeps its tokens. */
export interface Tenant {
  readonly ask: Admission;
  /** Of the tokens; undefined: nobody may use them. */
  scope: string | undefined;
  usedAt: number;
  /** Its conversation goes on as soon as its tools have run. */
  comesBack?: boolean;
}
