import type { PartLayout } from '../contract/chat-format.ts';
import type { AnswerContext } from './answer-context.ts';
import { MarkerSet, type Reading } from './marker-scanner.ts';
import { type CallTools, OpenCall } from './tool-calls/call-reader.ts';
import { JsonText } from './tool-calls/json-text.ts';

/** A separator before anything that is neither text by its name nor a tool is text. */
export function* readPartAnswer(context: AnswerContext, layout: PartLayout): Reading<void> {
  const { scanner, writer, opening, enter } = context;
  const separators = new MarkerSet([layout.separator]);
  if (!opening.continues) yield* readPart(context, layout, '');
  for (;;) {
    enter('text');
    const found = yield* scanner.untilMarker(separators, (piece) => writer.text(piece));
    if (found === undefined) return;
    yield* readPart(context, layout, layout.separator);
  }
}

/** The head of a part, and its arguments when it is a call; text is left to be read. */
function* readPart(
  { scanner, writer, calls, enter }: AnswerContext,
  layout: PartLayout,
  before: string,
): Reading<void> {
  const { textName, nameEnd } = layout;
  scanner.record();
  scanner.take(before.length);
  const line = yield* scanner.shortText(new MarkerSet([nameEnd]), Math.max(4, calls?.longestName ?? 0), [nameEnd]);
  const written = line?.text.trim() ?? '';
  const name = written === textName ? undefined : calls?.offered(written);
  const text = scanner.recorded();
  if (name !== undefined && calls) {
    enter('tool-call');
    yield* readArguments(calls, layout, name);
  } else if (written === textName) {
    writer.close();
  } else if (!scanner.isCut || !mayBecomeHead(text.slice(before.length), textName, calls)) {
    writer.text(text);
  }
}

function mayBecomeHead(beginning: string, textName: string, calls: CallTools | undefined): boolean {
  return textName.startsWith(beginning.trim()) || calls?.mayBecomeOffered(beginning) === true;
}

function* readArguments(calls: CallTools, { separator }: PartLayout, name: string): Reading<void> {
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
