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
  call.start();
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
    if (next === undefined) return true;
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
    scanner.record();
    const key = yield* parameterName(next, count, tool, marks, tools);
    const text = scanner.recorded();
    if (key === undefined) return finishBroken(call, text, count, tools);
    call.write(`${count++ === 0 ? '{' : ','}${JSON.stringify(key)}:`);
    yield* scanner.skipSpace();
    const json = new JsonText({ heal: true, stops: [')', ...marks.closers], write: call.write });
    yield* scanner.feed(json.read);
  }
}

/** `key=`; a bare value belongs to the parameter that the tool has at its place. */
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
  const name = Object.keys(tool?.parameters?.properties ?? {})[count];
  const isValue = /["'\d[{-]/.test(next) || isSpace(next);
  if (name === undefined || !isValue) return undefined;
  tools.repaired();
  return name;
}

/** The call ends here, and what could not be read stands after it. */
function finishBroken(call: OpenCall, text: string, count: number, tools: CallTools): boolean {
  if (tools.scanner.isCut) return true;
  tools.repaired();
  tools.scanner.restore(text);
  if (count > 0) call.write('}');
  call.end();
  return true;
}
