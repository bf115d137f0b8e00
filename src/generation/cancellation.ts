import type { Caller } from '../contract/caller.ts';
import type { RequestKeys } from '../contract/request.ts';
import type { Clock } from '../contract/services.ts';
import type { ThoughtAddress, ThoughtEnding } from '../contract/thoughts.ts';
import type { ThoughtControl } from './thought-control.ts';

/** What a run can be found by. A cancel id belongs to one call; its choices share it. */
export type CancelKeys = Pick<RequestKeys, 'cancelId' | 'sessionId' | 'answerId'>;

/** Who cancels. Keys mean the caller's own runs: of one that it does not see there is none. */
type Canceller = Pick<Caller, 'owner' | 'sees'>;

/**
 * Why a run is ended from outside. `cancelled`: somebody asked for it. `shutdown`: the server stops, and of this answer
 * there is something to end properly. `refused`: the server stops, and of this answer nothing was shown yet.
 */
export type RunEnd = 'cancelled' | 'shutdown' | 'refused';

interface Registration {
  /** The run shows the first of its answer. */
  spoke(): void;
  release(): void;
}

export interface CancelRegistry {
  /**
   * From admission to the last step: `end` is called at most once, and at once when a cancel call for this cancel id
   * came before, or one that hit another choice of this answer, or the server stops. Check and registration are one
   * step.
   */
  register(
    keys: CancelKeys & Pick<RequestKeys, 'owner'>,
    end: (why: RunEnd) => void,
    thought?: ThoughtControl,
  ): Registration;
  /**
   * A cancel id given matches exclusively: the other keys are not looked at, so a stale stop never hits a later run of
   * the same session. How many runs were cancelled now. A cancel id that finds no run is kept for a while, until the
   * first answer that it hits; and so is the answer of every run that was found: its other choices may still be on their
   * way. Other keys never are; no key finds nothing.
   */
  cancel(keys: CancelKeys, caller: Canceller): number;
  /** Ends the thought of every run that the caller sees and means; `ended` where it was one at least. */
  endThought(which: ThoughtAddress, caller: Canceller): ThoughtEnding;
  /** The server stops: ends every run, and those that come later. Choices of an answer that was begun end as it does. */
  shutDown(): void;
  readonly size: number;
}

export interface CancelRegistryOptions {
  readonly clock: Clock;
  /** How long a cancel id, or a cancelled answer, waits for its runs. */
  readonly pendingMs?: number;
  /** So many of one owner wait at most; the oldest makes room. */
  readonly maxPending?: number;
}

interface Run {
  readonly keys: CancelKeys;
  readonly owner: string;
  readonly end: (why: RunEnd) => void;
  readonly thought: ThoughtControl | undefined;
  ended: boolean;
  spoke: boolean;
}

/** Every run of the server, findable by the keys that clients know. */
export function createCancelRegistry({
  clock,
  pendingMs = 30_000,
  maxPending = 1000,
}: CancelRegistryOptions): CancelRegistry {
  const runs = new Set<Run>();
  const pending = new PendingCancels({ clock, pendingMs, maxPending });

  const stop = (run: Run, why: RunEnd = 'cancelled') => {
    if (run.ended) return;
    run.ended = true;
    run.end(why);
  };
  /** Once the server stops: the answers that had begun by then. */
  let begun: ReadonlySet<string | undefined> | undefined;
  const shutDown = (run: Run, answers: ReadonlySet<string | undefined>) =>
    stop(
      run,
      run.spoke || (run.keys.answerId !== undefined && answers.has(run.keys.answerId)) ? 'shutdown' : 'refused',
    );

  return {
    get size() {
      return runs.size;
    },
    register: ({ owner = '', ...keys }, end, thought) => {
      const run: Run = { keys, owner, end, thought, ended: false, spoke: false };
      runs.add(run);
      if (pending.spend(keys, owner)) stop(run);
      if (begun) shutDown(run, begun);
      return {
        spoke: () => {
          run.spoke = true;
        },
        release: () => {
          runs.delete(run);
        },
      };
    },
    cancel: (keys, caller) => {
      const met = [...runs].filter((run) => caller.sees(run.owner) && matches(run.keys, keys));
      const found = met.filter((run) => !run.ended);
      for (const run of found) stop(run);
      if (met.length === 0) pending.keep({ cancelId: keys.cancelId }, caller);
      const answers = new Set((keys.cancelId === undefined ? found : met).map((run) => run.keys.answerId));
      for (const answerId of answers) pending.keep({ answerId }, caller);
      return found.length;
    },
    endThought: (which, caller) => {
      const meant = [...runs].filter((run) => caller.sees(run.owner) && !run.ended && isMeant(run, which));
      const endings = meant.map(({ thought }) => thought?.end() ?? 'not-asked');
      return (['ended', 'not-thinking', 'not-asked'] as const).find((each) => endings.includes(each)) ?? 'no-run';
    },
    shutDown: () => {
      const answers = new Set([...runs].filter(({ spoke }) => spoke).map(({ keys }) => keys.answerId));
      begun = answers;
      for (const run of runs) shutDown(run, answers);
    },
  };
}

function isMeant({ keys, thought }: Run, which: ThoughtAddress): boolean {
  return 'slot' in which ? thought?.slot === which.slot : keys.answerId === which.answerId;
}

interface Pending {
  readonly until: number;
  readonly sees: Canceller['sees'];
}

/** Cancels that came before their runs. Each owner has a place of its own, so that nobody's cancels push out another's. */
class PendingCancels {
  readonly #limits: Required<CancelRegistryOptions>;
  /** Owner -> cancel ids and answer ids, told apart by their first letter; oldest first. */
  readonly #byOwner = new Map<string, Map<string, Pending>>();

  constructor(limits: Required<CancelRegistryOptions>) {
    this.#limits = limits;
  }

  /** One of the two. */
  keep({ cancelId, answerId }: PendingKeys, { owner, sees }: Canceller): void {
    this.#forgetOld();
    const key = cancelId === undefined ? answerKey(answerId) : cancelKey(cancelId);
    if (key === undefined) return;
    const own = this.#byOwner.get(owner) ?? new Map<string, Pending>();
    this.#byOwner.set(owner, own);
    this.#put(own, key, { until: this.#limits.clock() + this.#limits.pendingMs, sees });
  }

  /**
   * Whether the run was cancelled by somebody who sees its owner's runs. A cancel id ends one answer: from then on it is
   * this answer that is kept, so that the next one under the same id runs.
   */
  spend({ cancelId, answerId }: PendingKeys, owner: string): boolean {
    this.#forgetOld();
    const [byId, byAnswer] = [cancelKey(cancelId), answerKey(answerId)];
    for (const own of this.#byOwner.values()) {
      const find = (key: string | undefined) => {
        const kept = key === undefined ? undefined : own.get(key);
        return kept && kept.until > this.#limits.clock() && kept.sees(owner) ? kept : undefined;
      };
      if (find(byAnswer)) return true;
      const early = find(byId);
      if (early === undefined || byId === undefined) continue;
      own.delete(byId);
      if (byAnswer !== undefined) this.#put(own, byAnswer, early);
      return true;
    }
    return false;
  }

  #put(own: Map<string, Pending>, key: string, pending: Pending): void {
    own.delete(key);
    own.set(key, pending);
    const [oldest] = own.keys();
    if (own.size > this.#limits.maxPending && oldest !== undefined) own.delete(oldest);
  }

  #forgetOld(): void {
    for (const [owner, own] of this.#byOwner) {
      for (const [key, { until }] of own) {
        if (until > this.#limits.clock()) break;
        own.delete(key);
      }
      if (own.size === 0) this.#byOwner.delete(owner);
    }
  }
}

type PendingKeys = { readonly [Key in 'cancelId' | 'answerId']?: string | undefined };

function cancelKey(cancelId: string | undefined): string | undefined {
  return cancelId === undefined ? undefined : `c${cancelId}`;
}

function answerKey(answerId: string | undefined): string | undefined {
  return answerId === undefined ? undefined : `a${answerId}`;
}

function matches(run: CancelKeys, { cancelId, sessionId, answerId }: CancelKeys): boolean {
  if (cancelId !== undefined) return run.cancelId === cancelId;
  if (sessionId !== undefined && run.sessionId === sessionId) return true;
  return answerId !== undefined && run.answerId === answerId;
}
