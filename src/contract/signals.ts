/** The work's outcome, or the signal's reason when that comes first: for work that knows no signals. It goes on unseen. */
export function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** For work that nobody means to break off. A new one each time: listeners of one that all share would stay for good. */
export function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

export interface FollowingController {
  readonly controller: AbortController;
  /** The signal counts no more. */
  unfollow(): void;
}

/** A controller of its own that the signal aborts too. */
export function following(signal: AbortSignal | undefined): FollowingController {
  const controller = new AbortController();
  const forward = () => controller.abort(signal?.reason);
  if (signal?.aborted) forward();
  signal?.addEventListener('abort', forward, { once: true });
  return { controller, unfollow: () => signal?.removeEventListener('abort', forward) };
}
