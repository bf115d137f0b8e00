import type { RequestKeys } from '../contract/request.ts';
import type { Clock } from '../contract/services.ts';

/** What a run can be found by. A cancel id belongs to one call; its choices share it. */
export type CancelKeys = Pick<RequestKeys, 'cancelId' | 'sessionId' | 'answerId'>;

export interface CancelRegistry {
  /**
   * From admission to the last step: `cancel` is called at most once, and at once when a cancel call for this cancel id
   * came before. Check and registration are one step.
   */
  register(keys: CancelKeys, cancel: () => void): { release(): void };
  /**
   * A cancel id given matches exclusively: the other keys are not looked at, so a stale stop never hits a later run of
   * the same session. How many runs were cancelled now. A cancel id is kept for a while, other keys never are; no key
   * finds nothing.
   */
  cancel(keys: CancelKeys): number;
  readonly size: number;
}

export interface CancelRegistryOptions {
  readonly clock: Clock;
  /** How long a cancel id waits for its run. */
  readonly pendingMs?: number;
  /** Cancel ids that wait at most; the oldest makes room. */
  readonly maxPending?: number;
}

interface Run {
  readonly keys: CancelKeys;
  readonly cancel: () => void;
  cancelled: boolean;
}

/** Every run of the server, findable by the keys that clients know. */
export function createCancelRegistry({
  clock,
  pendingMs = 30_000,
  maxPending = 1000,
}: CancelRegistryOptions): CancelRegistry {
  const runs = new Set<Run>();
  /** Cancel id -> when it is forgotten; oldest first. */
  const pending = new Map<string, number>();

  const forgetOld = () => {
    for (const [cancelId, until] of pending) {
      if (until > clock() && pending.size <= maxPending) return;
      pending.delete(cancelId);
    }
  };
  const stop = (run: Run) => {
    run.cancelled = true;
    run.cancel();
  };

  return {
    get size() {
      return runs.size;
    },
    register: (keys, cancel) => {
      forgetOld();
      const run: Run = { keys, cancel, cancelled: false };
      runs.add(run);
      if (keys.cancelId !== undefined && pending.has(keys.cancelId)) stop(run);
      return {
        release: () => {
          runs.delete(run);
        },
      };
    },
    cancel: (keys) => {
      forgetOld();
      const found = [...runs].filter((run) => !run.cancelled && matches(run.keys, keys));
      for (const run of found) stop(run);
      if (keys.cancelId !== undefined) {
        // Also when it found a run: another choice of the same call may still be on its way.
        pending.delete(keys.cancelId);
        pending.set(keys.cancelId, clock() + pendingMs);
        forgetOld();
      }
      return found.length;
    },
  };
}

function matches(run: CancelKeys, { cancelId, sessionId, answerId }: CancelKeys): boolean {
  if (cancelId !== undefined) return run.cancelId === cancelId;
  if (sessionId !== undefined && run.sessionId === sessionId) return true;
  return answerId !== undefined && run.answerId === answerId;
}
