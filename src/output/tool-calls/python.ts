import type { PythonCalls } from '../../contract/chat-format.ts';
import type { Tool } from '../../contract/request.ts';
import { isSpace, MarkerSet, type Reading } from '../marker-scanner.ts';
import { type CallSyntax, type CallTools, OpenCall } from './call-reader.ts';
import { framedCalls, frameMarkers } from './frame.ts';
import { JsonText } from './json-text.ts';

const longestName = 200;

/** Calls `[name(key="text", n=3), other()]` with Python literals. */
export function pythonCalls(format: PythonCalls, tools: CallTools): CallSyntax {
  const marks = pythonMarks(frameMarkers(format).closers);
  return framedCalls(format, tools, { readBareCall: () => readPythonCall(marks, tools) });
}

export interface PythonMarks {
  readonly nameEnds: MarkerSet;
  readonly keyEnds: MarkerSet;
  /** What ends a call whatever is still open. */
  readonly closers: readonly string[];
}

export function pythonMarks(closers: readonly string[]): PythonMarks {
  return {
    nameEnds: new MarkerSet(['.call(', '(', '\n', ...closers]),
    keyEnds: new MarkerSet(['=', ')', ',']),
    closers,
  };
}

/** One `name(...)`; false when it is no call of an offered tool. */
export function* readPythonCall(marks: PythonMarks, tools: CallTools): Reading<boolean> {
  const head = yield* tools.scanner.shortText(marks.nameEnds, longestName, ['(', '.call(']);
  if (!head?.marker.endsWith('(')) return false;
  const name = tools.offered(head.text);
  if (name === undefined) return false;
  const call = new OpenCall(tools, name);
  return yield* readParameters(call, tools.tool(name), marks, tools);
}

function* readParameters(
  call: OpenCall,
  tool: Tool | undefined,
  marks: PythonMarks,
  tools: CallTools,
): Reading<boolean> {
  const { scanner } = tools;
  let count = 0;
  for (;;) {
    const next = yield* scanner.skipSpace();
    if (next === undefined) {
      call.start();
      return true;
    }
    if (next === ')') {
      scanner.take(1);
      if (count > 0) call.write('}');
      call.end();
      return true;
    }
    if (next === ',') {
      scanner.take(1);
      continue;
    }
    const key = yield* parameterName(next, count, tool, marks, tools);
    if (key === undefined) return finishBroken(call, count, tools);
    call.write(`${count++ === 0 ? '{' : ','}${JSON.stringify(key)}:`);
    yield* scanner.skipSpace();
    const json = new JsonText({ heal: true, stops: [')', ...marks.closers], write: call.write });
    yield* scanner.feed(json.read);
  }
}

/** `key=`; a bare value belongs to the tool's only parameter. */
function* parameterName(
  next: string,
  count: number,
  tool: Tool | undefined,
  marks: PythonMarks,
  tools: CallTools,
): Reading<string | undefined> {
  if (/[\p{L}_]/u.test(next)) {
    const key = yield* tools.scanner.shortText(marks.keyEnds, longestName, ['=']);
    return key?.marker === '=' ? key.text.trim() : undefined;
  }
  const names = Object.keys(tool?.parameters?.properties ?? {});
  const isValue = /["'\d[{-]/.test(next) || isSpace(next);
  if (count > 0 || names.length !== 1 || !isValue) return undefined;
  tools.repaired();
  return names[0];
}

/** A call that is already shown ends here; one that is not is text. */
function finishBroken(call: OpenCall, count: number, tools: CallTools): boolean {
  if (!call.started) return false;
  tools.repaired();
  if (count > 0) call.write('}');
  call.end();
  return true;
}
