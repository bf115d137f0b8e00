import type { Clock } from '../contract/services.ts';

/** What a run can be found by. Several runs may share a session or an answer (its choices); a cancel id is one call's own. */
export interface RunKeys {
  readonly cancelId?: string;
  readonly sessionId?: string;
  /** The id of the completion, response or message as the client sees it. */
  readonly answerId?: string;
}

/** A cancel call. A cancel id given matches exclusively: the other keys are not looked at. */
export type CancelKeys = RunKeys;

export interface CancelRegistry {
  /**
   * From admission to the last step: `cancel` is called at most once, and at once when a cancel call for this cancel id
   * came before. Check and registration are one step. The function returned ends the registration.
   */
  register(keys: RunKeys, cancel: () => void): () => void;
  /** How many runs were cancelled now. A cancel id without a run is kept for a while; other keys never are. */
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
  readonly keys: RunKeys;
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
      // Kept until it expires: the choices of one call register one after the other.
      if (keys.cancelId !== undefined && pending.has(keys.cancelId)) stop(run);
      return () => {
        runs.delete(run);
      };
    },
    cancel: (keys) => {
      forgetOld();
      const found = [...runs].filter((run) => !run.cancelled && matches(run.keys, keys));
      for (const run of found) stop(run);
      const { cancelId } = keys;
      if (cancelId !== undefined && ![...runs].some((run) => run.keys.cancelId === cancelId)) {
        pending.delete(cancelId);
        pending.set(cancelId, clock() + pendingMs);
        forgetOld();
      }
      return found.length;
    },
  };
}

function matches(run: RunKeys, { cancelId, sessionId, answerId }: CancelKeys): boolean {
  if (cancelId !== undefined) return run.cancelId === cancelId;
  if (sessionId !== undefined && run.sessionId === sessionId) return true;
  return answerId !== undefined && run.answerId === answerId;
}
