import type { NamedJsonCalls } from '../../contract/chat-format.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import { type CallSyntax, type CallTools, OpenCall } from './call-reader.ts';
import { framedCalls, frameMarkers } from './frame.ts';
import { JsonText } from './json-text.ts';

const longestName = 200;
const fence = '```';

/** Calls with the name in a marker and the arguments as one JSON object after it. */
export function namedJsonCalls(format: NamedJsonCalls, tools: CallTools): CallSyntax {
  const { kindOpen = '' } = format;
  const opened = kindOpen !== '' && format.open.endsWith(kindOpen);
  const readable = opened ? { ...format, open: format.open.slice(0, -kindOpen.length) } : format;
  const { closers } = frameMarkers(readable);
  const kindEnd = /<.*>$/.exec(kindOpen)?.[0] ?? '';
  const nameEnd = format.nameEnd.trim().split('\n')[0] || '\n';
  const marks = {
    // The arguments themselves end a name whose marker was forgotten; a name has no line break.
    nameEnds: new MarkerSet([nameEnd, kindEnd, format.idOpen ?? '', '{', '\n', ...closers]),
    idEnds: new MarkerSet([format.idEnd ?? nameEnd, '\n', '{']),
    nameEnd,
    own: [nameEnd, ...(kindEnd ? [kindEnd] : []), ...(format.nameEnd.startsWith('\n') ? ['\n'] : [])],
    fence: new MarkerSet([`${fence}json`, fence]),
    closers,
  };
  return framedCalls(readable, tools, { readCall: () => readCall(format, tools, marks) });
}

interface Marks {
  readonly nameEnds: MarkerSet;
  readonly idEnds: MarkerSet;
  readonly nameEnd: string;
  /** What the family itself writes after a name. */
  readonly own: readonly string[];
  readonly fence: MarkerSet;
  readonly closers: readonly string[];
}

function* readCall(format: NamedJsonCalls, tools: CallTools, marks: Marks): Reading<boolean> {
  const { scanner } = tools;
  const first = yield* scanner.skipSpace();
  if (first === '{' || first === undefined) return false;
  if (format.kindOpen) yield* scanner.literal(format.kindOpen);
  let id: string | undefined;
  if (format.idEnd) {
    const before = yield* scanner.shortText(marks.idEnds, longestName, [format.idEnd ?? marks.nameEnd]);
    if (before?.marker !== format.idEnd) return false;
    id = before.text.trim();
  }
  const head = yield* scanner.shortText(marks.nameEnds, longestName, [...marks.own, format.idOpen, '\n']);
  if (!head) return false;
  const name = tools.offered(format.indexedName ? withoutIndex(head.text) : head.text);
  if (name === undefined) return false;
  if (format.indexedName) id = head.text.trim();
  if (head.marker === format.idOpen) return yield* readBehindId(name, tools, marks);
  const call = new OpenCall(tools, name, id);
  if (marks.own.includes(head.marker)) call.start();
  return yield* readArguments(call, tools, marks, head.marker);
}

/** `ID nameEnd {json}`. The name is whole: a call whose id does not end has one of our own. */
function* readBehindId(name: string, tools: CallTools, marks: Marks): Reading<boolean> {
  tools.scanner.record();
  const id = yield* tools.scanner.shortText(marks.idEnds, longestName, [marks.nameEnd]);
  const call = new OpenCall(tools, name, id?.text.trim());
  const text = tools.scanner.recorded();
  call.start();
  if (id) return yield* readArguments(call, tools, marks, id.marker);
  if (!tools.scanner.isCut) {
    tools.scanner.restore(text);
    call.end();
  }
  return true;
}

function withoutIndex(name: string): string {
  return name.trim().replace(/:\d+$/, '');
}

function* readArguments(call: OpenCall, tools: CallTools, marks: Marks, before: string): Reading<boolean> {
  const { scanner } = tools;
  const json = new JsonText({ heal: tools.heal, stops: marks.closers, write: call.write });
  const isFenced = (yield* scanner.skipSpace()) === '`' && (yield* skipFence(tools, marks));
  const next = yield* scanner.skipSpace();
  if (next === '{') {
    yield* scanner.feed(json.read);
    tools.repaired(json.repairs);
    if (!scanner.ended) tools.writer.close();
    if (isFenced && (yield* scanner.skipSpace()) === '`') yield* scanner.literal(fence);
    return true;
  }
  if (next === undefined && !scanner.isCut) call.start();
  else if (next !== undefined && (call.started || marks.closers.includes(before))) call.end();
  return call.started;
}

/** The opening of a code fence around the arguments. */
function* skipFence(tools: CallTools, marks: Marks): Reading<boolean> {
  const opening = yield* tools.scanner.next(marks.fence);
  if (opening !== undefined) tools.scanner.take(opening.length);
  return opening !== undefined;
}
