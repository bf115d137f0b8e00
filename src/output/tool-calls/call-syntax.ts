import type { ToolCallFormat } from '../../contract/chat-format.ts';
import type { CallSyntax, CallTools } from './call-reader.ts';
import { dictCalls } from './dict.ts';
import { jsonCalls } from './json-calls.ts';
import { namedJsonCalls } from './named-json.ts';
import { namespacedCalls } from './namespaced.ts';
import { pythonCalls } from './python.ts';
import { taggedCalls } from './tagged.ts';

/** The machine for a family's tool calls; undefined where the layout itself reads them. */
export function callSyntax(format: ToolCallFormat, tools: CallTools): CallSyntax | undefined {
  switch (format.syntax) {
    case 'json':
      return jsonCalls(format, tools);
    case 'named-json':
      return namedJsonCalls(format, tools);
    case 'tagged':
      return taggedCalls(format, tools);
    case 'dict':
      return dictCalls(format, tools);
    case 'python':
      return pythonCalls(format, tools);
    case 'namespaced':
      return namespacedCalls(format, tools);
    case 'addressed':
      return undefined;
    default:
      return format satisfies never;
  }
}
