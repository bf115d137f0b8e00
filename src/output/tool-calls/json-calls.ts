import type { JsonCalls } from '../../contract/chat-format.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import { type CallSyntax, type CallTools, OpenCall } from './call-reader.ts';
import { framedCalls } from './frame.ts';
import { inString } from './json-text.ts';
import { pythonMarks, readPythonCall } from './python.ts';

/** Calls that are JSON objects between two markers, alone, one after the other, or in an array. */
export function jsonCalls(format: JsonCalls, tools: CallTools): CallSyntax {
  const syntax = framedCalls(format, tools, { keys: { ...format.keys, nameIsKey: format.nameIsKey } });
  if (syntax.openers.length > 0) return syntax;
  const { pythonTag = '' } = format;
  const tag = new MarkerSet([pythonTag]);
  return {
    openers: ['{', pythonTag],
    onlyAtStart: ['{'],
    *read() {
      return (yield* tools.scanner.next(tag)) === undefined
        ? yield* syntax.read()
        : yield* readBehindTag(pythonTag, tools, syntax);
    },
  };
}

/** Names under which the interpreter is offered to models that write code after the tag. */
const interpreters = ['code_interpreter', 'python', 'ipython'];

/** After the tag: a JSON call, a Python call, or code for the interpreter. */
function* readBehindTag(tag: string, tools: CallTools, objects: CallSyntax): Reading<string> {
  const { scanner } = tools;
  scanner.record();
  scanner.take(tag.length);
  if ((yield* scanner.skipSpace()) === '{') {
    const before = scanner.recorded();
    const count = tools.writer.count;
    const rest = yield* objects.read();
    return tools.writer.count > count ? rest : before + rest;
  }
  const interpreter = interpreters.find((name) => tools.offered(name) === name && tools.tool(name));
  if (interpreter) return yield* readCode(interpreter, tools);
  return (yield* readPythonCall(behindTag, tools)) ? '' : scanner.recorded();
}

const behindTag = pythonMarks([]);

/** All that follows is the interpreter's first parameter. */
function* readCode(name: string, tools: CallTools): Reading<string> {
  const call = new OpenCall(tools, name);
  const key = Object.keys(tools.tool(name)?.parameters?.properties ?? {})[0] ?? 'code';
  call.write(`{${JSON.stringify(key)}:"`);
  yield* tools.scanner.untilMarker(new MarkerSet([]), (piece) => call.write(inString(piece)));
  if (!tools.scanner.isCut) call.write('"}');
  call.end();
  return '';
}
