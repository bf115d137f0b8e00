import type { AnswerContext } from './answer-context.ts';
import { MarkerSet, type Reading } from './marker-scanner.ts';
import { type CallTools, OpenCall } from './tool-calls/call-reader.ts';
import { JsonText } from './tool-calls/json-text.ts';

const separator = '>>>';
const separators = new MarkerSet([separator]);
const lineEnds = new MarkerSet(['\n']);

/**
 * Functionary 3.2: parts `all` + newline + text, or a tool's name + newline + its arguments, with `>>>` between them;
 * the prompt has written the first. A `>>>` before anything else is text.
 */
export function* readFunctionaryAnswer(context: AnswerContext): Reading<void> {
  const { scanner, writer, opening, enter } = context;
  if (!opening.continues) yield* readPart(context, '');
  for (;;) {
    enter('text');
    const found = yield* scanner.untilMarker(separators, (piece) => writer.text(piece));
    if (found === undefined) return;
    yield* readPart(context, separator);
  }
}

/** The head of a part, and its arguments when it is a call; text is left to be read. */
function* readPart({ scanner, writer, calls, enter }: AnswerContext, before: string): Reading<void> {
  scanner.record();
  scanner.take(before.length);
  const line = yield* scanner.shortText(lineEnds, Math.max(4, calls?.longestName ?? 0), ['\n']);
  const written = line?.text.trim() ?? '';
  const name = written === 'all' ? undefined : calls?.offered(written);
  const text = scanner.recorded();
  if (name !== undefined && calls) {
    enter('tool-call');
    yield* readArguments(calls, name);
  } else if (written === 'all') {
    writer.close();
  } else if (!scanner.isCut || !mayBecomeHead(text.slice(before.length), calls)) {
    writer.text(text);
  }
}

function mayBecomeHead(beginning: string, calls: CallTools | undefined): boolean {
  return 'all'.startsWith(beginning.trim()) || calls?.mayBecomeOffered(beginning) === true;
}

function* readArguments(calls: CallTools, name: string): Reading<void> {
  const { scanner, writer } = calls;
  const call = new OpenCall(calls, name);
  call.start();
  if ((yield* scanner.skipSpace()) !== '{') {
    if (!scanner.ended) call.end();
    return;
  }
  const json = new JsonText({ heal: calls.heal, stops: [separator], write: call.write });
  yield* scanner.feed(json.read);
  calls.repaired(json.repairs);
  if (scanner.ended) return;
  writer.close();
  yield* scanner.skipSpace();
}
