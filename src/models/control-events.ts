import type { ControlEvent, LoadProgress } from '../contract/control.ts';

/** What a reader that does not read may leave in memory; then it is cut off. */
const mostWaiting = 1000;

/** Hands every event to every reader. */
export interface ControlEvents {
  publish(event: ControlEvent): void;
  /** Events from now on, until the signal or `close`. */
  subscribe(signal: AbortSignal): AsyncIterable<ControlEvent>;
  readonly readers: number;
  /** The load that came to its end last, until the next one begins or its model goes. */
  readonly finished: LoadProgress | undefined;
  /** A load was asked for, of which there may be nothing to tell yet. */
  begin(): void;
  close(): void;
}

interface Reader {
  readonly waiting: ControlEvent[];
  over: boolean;
  wake: () => void;
}

export function createControlEvents(): ControlEvents {
  const readers = new Set<Reader>();
  let finished: LoadProgress | undefined;
  const end = (reader: Reader) => {
    reader.over = true;
    readers.delete(reader);
    reader.wake();
  };
  return {
    get readers() {
      return readers.size;
    },
    get finished() {
      return finished;
    },
    begin() {
      finished = undefined;
    },
    publish(event) {
      finished = finishedAfter(event, finished);
      for (const reader of readers) {
        reader.waiting.push(event);
        if (reader.waiting.length > mostWaiting) end(reader);
        else reader.wake();
      }
    },
    subscribe(signal) {
      // Registered here and not at the first read: nothing that happens in between may be missed.
      const reader: Reader = { waiting: [], over: signal.aborted, wake: () => undefined };
      if (!reader.over) readers.add(reader);
      return read(reader, signal, () => end(reader));
    },
    close() {
      for (const reader of [...readers]) end(reader);
    },
  };
}

function finishedAfter(event: ControlEvent, before: LoadProgress | undefined): LoadProgress | undefined {
  switch (event.type) {
    case 'progress': {
      const { type: _, ...progress } = event;
      return progress.phase === 'ready' ? progress : undefined;
    }
    case 'model': {
      const isGone = event.model === before?.model && (event.state === 'unloaded' || event.state === 'failed');
      return isGone || event.state === 'loading' ? undefined : before;
    }
    case 'slots':
      return before;
    default:
      return event satisfies never;
  }
}

async function* read(reader: Reader, signal: AbortSignal, end: () => void): AsyncGenerator<ControlEvent> {
  signal.addEventListener('abort', end, { once: true });
  try {
    for (;;) {
      const event = reader.waiting.shift();
      if (event) yield event;
      else if (reader.over) return;
      else {
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}
