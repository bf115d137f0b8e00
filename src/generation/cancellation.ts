import type { RequestKeys } from '../contract/request.ts';
import type { Clock } from '../contract/services.ts';

/** What a run can be found by. A cancel id belongs to one call; its choices share it. */
export type CancelKeys = Pick<RequestKeys, 'cancelId' | 'sessionId' | 'answerId'>;

/**
 * Why a run is ended from outside. `cancelled`: somebody asked for it. `shutdown`: the server stops, and of this answer
 * there is something to end properly. `refused`: the server stops, and of this answer nothing was shown yet.
 */
export type RunEnd = 'cancelled' | 'shutdown' | 'refused';

export interface Registration {
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
  register(keys: CancelKeys, end: (why: RunEnd) => void): Registration;
  /**
   * A cancel id given matches exclusively: the other keys are not looked at, so a stale stop never hits a later run of
   * the same session. How many runs were cancelled now. A cancel id is kept for a while, and so is the answer of every
   * run that was found: its other choices may still be on their way. Other keys never are; no key finds nothing.
   */
  cancel(keys: CancelKeys): number;
  /** The server stops: ends every run, and those that come later. Choices of an answer that was begun end as it does. */
  shutDown(): void;
  readonly size: number;
}

export interface CancelRegistryOptions {
  readonly clock: Clock;
  /** How long a cancel id, or a cancelled answer, waits for its runs. */
  readonly pendingMs?: number;
  /** So many wait at most; the oldest makes room. */
  readonly maxPending?: number;
}

interface Run {
  readonly keys: CancelKeys;
  readonly end: (why: RunEnd) => void;
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
  /** Cancel ids and answer ids, told apart by their first letter -> when it is forgotten; oldest first. */
  const pending = new Map<string, number>();

  const forgetOld = () => {
    for (const [key, until] of pending) {
      if (until > clock() && pending.size <= maxPending) return;
      pending.delete(key);
    }
  };
  const keep = (key: string) => {
    pending.delete(key);
    pending.set(key, clock() + pendingMs);
    forgetOld();
  };
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
    register: (keys, end) => {
      forgetOld();
      const run: Run = { keys, end, ended: false, spoke: false };
      runs.add(run);
      if (keptKeys(keys).some((key) => pending.has(key))) stop(run);
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
    cancel: (keys) => {
      forgetOld();
      const found = [...runs].filter((run) => !run.ended && matches(run.keys, keys));
      for (const run of found) stop(run);
      const answers = new Set(found.map((run) => run.keys.answerId));
      for (const key of keptKeys({ cancelId: keys.cancelId })) keep(key);
      for (const answerId of answers) for (const key of keptKeys({ answerId })) keep(key);
      return found.length;
    },
    shutDown: () => {
      const answers = new Set([...runs].filter(({ spoke }) => spoke).map(({ keys }) => keys.answerId));
      begun = answers;
      for (const run of runs) shutDown(run, answers);
    },
  };
}

function keptKeys({ cancelId, answerId }: { [Key in keyof CancelKeys]?: string | undefined }): string[] {
  return [...(cancelId === undefined ? [] : [`c${cancelId}`]), ...(answerId === undefined ? [] : [`a${answerId}`])];
}

function matches(run: CancelKeys, { cancelId, sessionId, answerId }: CancelKeys): boolean {
  if (cancelId !== undefined) return run.cancelId === cancelId;
  if (sessionId !== undefined && run.sessionId === sessionId) return true;
  return answerId !== undefined && run.answerId === answerId;
}
