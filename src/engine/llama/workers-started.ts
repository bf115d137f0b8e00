import { createDeferred } from '../../contract/deferred.ts';
import type { Timers } from '../../contract/services.ts';

/** Enough, and the least that a timer can wait. */
const workersStartMs = 1;

/**
 * Settles when ggml has started its workers for the decode under way, or the decode is over. Where this thread and the
 * clients it writes to are busy just then, the kernel may put a worker on the core of its starter, where the two spin
 * against each other: measured on 2 cores with 2 ggml threads, small model, tokens a second with / without this rest:
 * 1 stream 340 / 150, 4 streams 840 / 720, 8 streams 940 / 880.
 */
export async function workersStarted(decoded: Promise<void>, timers: Timers): Promise<void> {
  const { promise, resolve } = createDeferred<void>();
  const cancel = timers.after(workersStartMs, resolve);
  await Promise.race([promise, decoded.catch(() => undefined)]);
  cancel();
}
