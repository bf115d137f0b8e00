import type { ToolChoice } from '../../contract/request.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import type { CallSyntax, CallTools } from './call-reader.ts';
import { CallObject } from './json-object.ts';
import { pythonMarks, readPythonCall } from './python.ts';

const fence = '```';
const languages = new Set(['', 'json', 'tool_call', 'tool_code', 'python']);
const lineEnds = new MarkerSet(['\n', fence]);
const fences = new MarkerSet([fence]);
const python = pythonMarks([fence]);

/**
 * Where a call is forced but nothing holds the model to its syntax, models answer in other ways that are certain enough:
 * a fenced JSON object or Python call, and, when one tool is forced, the object of its arguments alone.
 */
export function forcedCalls(syntax: CallSyntax | undefined, tools: CallTools, choice: ToolChoice): CallSyntax {
  const only = choice.type === 'function' ? choice.name : undefined;
  const openers = [...(syntax?.openers ?? []), fence, '{'];
  return {
    openers: [...new Set(openers)],
    onlyAtStart: [...(syntax?.onlyAtStart ?? []), '{'],
    *read() {
      const { scanner } = tools;
      if ((yield* scanner.next(fences)) !== undefined) return yield* readFenced(tools, only);
      if ((yield* scanner.peek()) !== '{') return syntax ? yield* syntax.read() : '';
      scanner.record();
      return (yield* readObject(tools, only)) ? '' : scanner.recorded();
    },
  };
}

function readObject(tools: CallTools, only: string | undefined): Reading<boolean> {
  return new CallObject(tools, { name: 'name', arguments: 'arguments', closers: [fence], bareCallOf: only }).read();
}

function* readFenced(tools: CallTools, only: string | undefined): Reading<string> {
  const { scanner } = tools;
  scanner.record();
  scanner.take(fence.length);
  const language = yield* scanner.shortText(lineEnds, 20, ['\n']);
  if (language?.marker !== '\n' || !languages.has(language.text.trim())) return scanner.recorded();
  const next = yield* scanner.skipSpace();
  const found = next === '{' ? yield* readObject(tools, only) : yield* readPythonCall(python, tools);
  if (!found) return scanner.recorded();
  tools.repaired();
  if ((yield* scanner.skipSpace()) !== undefined) yield* scanner.literal(fence);
  return '';
}
