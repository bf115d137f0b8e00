import type { ToolCallFormat } from '../../contract/chat-format.ts';
import type { CallSyntax, CallTools } from './call-reader.ts';
import { jsonCalls } from './json.ts';

/** The machine for a family's tool calls; undefined where the layout itself reads them. */
export function callSyntax(format: ToolCallFormat, tools: CallTools): CallSyntax | undefined {
  switch (format.syntax) {
    case 'json':
      return jsonCalls(format, tools);
    default:
      return undefined;
  }
}
