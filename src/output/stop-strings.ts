import { MarkerScanner, MarkerSet } from './marker-scanner.ts';

export interface StopStrings {
  /** Text that may be shown now; with `stop`, the stop string that ended it: everything after it is dropped. */
  push(text: string): { readonly text: string; readonly stop?: string };
  /** The text that was held back because a stop string might have begun. */
  end(): string;
}

/** Finds stop strings across token borders; they are not part of the text. Empty strings are no stop strings. */
export function createStopStrings(stops: readonly string[]): StopStrings {
  const scanner = new MarkerScanner();
  let shown = '';
  let stop: string | undefined;
  const reading = scanner.untilMarker(new MarkerSet(stops), (text) => {
    shown += text;
  });

  function run(): string {
    const step = reading.next();
    if (step.done) stop = step.value;
    const text = shown;
    shown = '';
    return text;
  }

  return {
    push(text) {
      if (stop !== undefined) return { text: '', stop };
      scanner.push(text);
      const before = run();
      return stop === undefined ? { text: before } : { text: before, stop };
    },
    end() {
      if (stop !== undefined) return '';
      scanner.end('complete');
      return run();
    },
  };
}
