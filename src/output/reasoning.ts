import type { ReasoningMarkers } from '../contract/chat-format.ts';
import type { MarkerScanner, Reading } from './marker-scanner.ts';
import { MarkerSet } from './marker-scanner.ts';

/** Where the pieces of a thought go. */
export interface ThoughtSink {
  write(text: string): void;
}

/**
 * Reads a thought, starting after its opening marker, up to and with its closing marker; a marker that ends it
 * without belonging to it is left unread. An opening marker that the model repeats at once is dropped.
 *
 * `continues`: the thought was begun in the prompt, so leading whitespace belongs to it.
 */
export function createReasoningReader(markers: ReasoningMarkers, scanner: MarkerScanner, sink: ThoughtSink) {
  const open = markers.open.trim();
  const close = markers.close.trim();
  const ends = new MarkerSet([close, ...(markers.alsoEndedBy ?? [])]);
  const repeatedOpen = new MarkerSet([open, close]);

  return function* readReasoning(continues: boolean): Reading<void> {
    if (!continues) {
      let next = yield* scanner.skipSpace();
      if (next !== undefined && open !== '' && (yield* scanner.next(repeatedOpen)) === open) {
        scanner.take(open.length);
        next = yield* scanner.skipSpace();
      }
      if (next === undefined) return;
    }
    const end = yield* scanner.untilMarker(ends, (text) => sink.write(text));
    if (end === close) scanner.take(close.length);
  };
}
