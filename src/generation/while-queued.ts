import { createDeferred } from '../contract/deferred.ts';
import type { QueuedEvent } from '../contract/events.ts';
import type { QueuePlace } from '../scheduler/admission.ts';
import type { Run } from './run-on-slot.ts';

/**
 * Begins a run and tells its places in the queue meanwhile, the newest one to a reader who is slow. A reader who leaves
 * before the run has begun leaves it too: `abandon` must make `begin` settle.
 */
export async function* whileQueued(
  begin: (onPlace: (place: QueuePlace) => void) => Promise<Run>,
  abandon: () => void,
): AsyncGenerator<QueuedEvent, Run> {
  let place: QueuePlace | undefined;
  let moved = createDeferred<undefined>();
  const beginning = begin((next) => {
    place = next;
    moved.resolve(undefined);
  });
  beginning.catch(() => undefined); // thrown below, or nobody is there to hear it
  let run: Run | undefined;
  try {
    for (;;) {
      run = await Promise.race([beginning, moved.promise]);
      if (run) return run;
      moved = createDeferred();
      if (place) yield toEvent(place);
    }
  } finally {
    if (!run) {
      abandon();
      await beginning.then(
        (late) => late.leave(),
        () => undefined,
      );
    }
  }
}

function toEvent({ position, etaMs }: QueuePlace): QueuedEvent {
  return { type: 'queued', position, ...(etaMs !== undefined && { etaMs }) };
}
