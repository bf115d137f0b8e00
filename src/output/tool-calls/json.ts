import type { JsonCalls } from '../../contract/chat-format.ts';
import type { CallSyntax, CallTools } from './call-reader.ts';
import { framedCalls } from './frame.ts';

/** Calls that are JSON objects between two markers, alone, one after the other, or in an array. */
export function jsonCalls(format: JsonCalls, tools: CallTools): CallSyntax {
  const syntax = framedCalls(format, tools, { ...format.keys, nameIsKey: format.nameIsKey });
  return syntax.openers.length > 0 ? syntax : { ...syntax, openers: ['{'], onlyAtStart: true };
}
