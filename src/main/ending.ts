import { elapsed, type System } from './system.ts';

export interface EndingOptions {
  readonly system: Pick<System, 'timers'>;
  /** Whether an answer still runs. */
  readonly isBusy: () => boolean;
  /** Ends every answer in its own words, and the streams of those who watch. */
  readonly endAnswers: () => void;
  /** What the last answers leave is where it belongs. */
  readonly settle: () => Promise<void>;
  readonly closeTools: () => Promise<void>;
}

/** How a server stops: it waits for its answers, then it ends them. */
export interface Ending {
  /** Aborted when there is no more time. */
  readonly signal: AbortSignal;
  /** Settles when the running answers are out, or after so many milliseconds. */
  drain(milliseconds: number): Promise<void>;
  /** Settles when all has ended, or after a few seconds. */
  finish(): Promise<void>;
}

/** A step in flight, of 512 prompt tokens with a small model on two cores, takes about 3 s. */
const longestFinishMs = 4000;
const idlePollMs = 50;

export function createEnding({ system, isBusy, endAnswers, settle, closeTools }: EndingOptions): Ending {
  const stopping = new AbortController();
  const within = (milliseconds: number, work: Promise<void>) => Promise.race([work, elapsed(system, milliseconds)]);
  const idle = async () => {
    while (isBusy()) await elapsed(system, idlePollMs);
  };
  return {
    signal: stopping.signal,
    drain: (milliseconds) => within(milliseconds, idle()),
    async finish() {
      if (stopping.signal.aborted) return;
      endAnswers();
      stopping.abort();
      await within(longestFinishMs, idle().then(settle));
      await within(longestFinishMs, closeTools());
    },
  };
}
