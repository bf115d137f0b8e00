import type { ControlEvent } from '../contract/control.ts';

/** What a reader that does not read may leave in memory; then it is cut off. */
const mostWaiting = 1000;

/** Hands every event to every reader. */
export interface ControlEvents {
  publish(event: ControlEvent): void;
  /** Events from now on, until the signal or `close`. */
  subscribe(signal: AbortSignal): AsyncIterable<ControlEvent>;
  readonly readers: number;
  close(): void;
}

interface Reader {
  readonly waiting: ControlEvent[];
  over: boolean;
  wake: () => void;
}

export function createControlEvents(): ControlEvents {
  const readers = new Set<Reader>();
  const end = (reader: Reader) => {
    reader.over = true;
    readers.delete(reader);
    reader.wake();
  };
  return {
    get readers() {
      return readers.size;
    },
    publish(event) {
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
