import type { DictCalls } from '../../contract/chat-format.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import { type CallSyntax, type CallTools, OpenCall } from './call-reader.ts';
import { framedCalls, frameMarkers } from './frame.ts';
import { JsonText } from './json-text.ts';

const longestName = 200;

/** Calls `name{key:value}` with unquoted keys and strings between quotes of the family's own. */
export function dictCalls(format: DictCalls, tools: CallTools): CallSyntax {
  const { closers } = frameMarkers(format);
  const nameEnds = new MarkerSet(['{', '\n', ...closers]);

  function* readCall(): Reading<boolean> {
    const { scanner } = tools;
    const head = yield* scanner.shortText(nameEnds, longestName, []);
    const name = head && tools.offered(head.text);
    if (name === undefined) return false;
    const call = new OpenCall(tools, name);
    if ((yield* scanner.skipSpace()) !== '{') {
      if (closers.includes(head?.marker ?? '')) call.end();
      return call.started;
    }
    // Unquoted keys are this syntax, not a mistake: mending is always on and not counted.
    const json = new JsonText({ heal: true, stops: closers, quote: format.quote, write: call.write });
    yield* scanner.feed(json.read);
    if (!scanner.ended) tools.writer.close();
    return true;
  }

  return framedCalls(format, tools, { readCall });
}
