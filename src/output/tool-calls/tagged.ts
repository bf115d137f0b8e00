import type { TaggedCalls } from '../../contract/chat-format.ts';
import type { Tool } from '../../contract/request.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import { type CallSyntax, type CallTools, OpenCall } from './call-reader.ts';
import { framedCalls, frameMarkers } from './frame.ts';
import { inString, JsonText } from './json-text.ts';
import { parameterSchema, toJson, type ValueKind, valueKind } from './value-types.ts';

const longestName = 200;

/** Calls with the name and every argument in tags of their own; arguments become JSON as they come. */
export function taggedCalls(format: TaggedCalls, tools: CallTools): CallSyntax {
  const marks = marksOf(format);
  return framedCalls(format, tools, { readCall: () => new TaggedCall(marks, tools).read() });
}

interface Marks {
  readonly nameEnd: readonly string[];
  readonly nameEnds: MarkerSet;
  readonly keyEnd: readonly string[];
  readonly keyEnds: MarkerSet;
  readonly open: string;
  readonly close: string;
  readonly closes: MarkerSet;
  /** What may stand after a parameter or a name. */
  readonly behind: MarkerSet;
  /** One line break on each side of a value is not part of it. */
  readonly wrapped: boolean;
  readonly attribute: 'string' | 'type' | undefined;
  readonly cdata: boolean;
}

function marksOf(format: TaggedCalls): Marks {
  const { closers } = frameMarkers(format);
  const open = format.parameter.open.trim();
  const close = format.parameter.close.trim();
  const nameEnd = markerParts(format.nameEnd);
  const keyEnd = markerParts(format.parameter.keyEnd);
  return {
    nameEnd,
    nameEnds: new MarkerSet([nameEnd[0] ?? '\n', '\n', '{', open, ...closers]),
    keyEnd,
    keyEnds: new MarkerSet([keyEnd[0] ?? '', '\n']),
    open,
    close,
    closes: new MarkerSet([close]),
    behind: new MarkerSet([open, close, ...closers]),
    wrapped: format.parameter.keyEnd.endsWith('\n') && format.parameter.close.startsWith('\n'),
    attribute: format.parameter.attribute,
    cdata: format.parameter.cdata === true,
  };
}

/** A quote that ends a name or a key stands alone: attributes may follow it. */
function markerParts(text: string): string[] {
  return text
    .split(/\n|(?<=^")|(?<=>)(?=<)/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

class TaggedCall {
  readonly #marks: Marks;
  readonly #tools: CallTools;
  #tool: Tool | undefined;
  #parameters = 0;

  constructor(marks: Marks, tools: CallTools) {
    this.#marks = marks;
    this.#tools = tools;
  }

  *read(): Reading<boolean> {
    const { scanner } = this.#tools;
    const head = yield* this.#name();
    if (!head) return false;
    for (;;) {
      const next = yield* scanner.skipSpace();
      const marker = next === undefined ? undefined : yield* scanner.next(this.#marks.behind);
      if (scanner.ended) return this.#ended(head);
      if (marker === this.#marks.open) {
        scanner.record();
        scanner.take(marker.length);
        if (!(yield* this.#parameter(head))) return scanner.isCut ? head.started : this.#end(head);
      } else if (marker === this.#marks.close) {
        scanner.take(marker.length);
      } else if (next === '{' && this.#parameters === 0) {
        yield* this.#object(head);
        return true;
      } else if (marker === undefined && !head.started) {
        return false;
      } else {
        return this.#end(head);
      }
    }
  }

  *#name(): Reading<OpenCall | undefined> {
    const { scanner } = this.#tools;
    const { nameEnd, nameEnds } = this.#marks;
    const head = yield* scanner.shortText(nameEnds, longestName, [nameEnd[0], '\n']);
    const name = head && this.#tools.offered(head.text);
    if (name === undefined) return undefined;
    this.#tool = this.#tools.tool(name);
    const call = new OpenCall(this.#tools, name);
    if (nameEnd[0] === undefined ? head?.marker === '{' : head?.marker !== nameEnd[0]) return call;
    call.start();
    scanner.record();
    const attributes = yield* this.#attributes(nameEnd);
    const text = scanner.recorded();
    if (attributes === undefined && !scanner.isCut) scanner.restore(text);
    return call;
  }

  /** What stands after the first part of a name's or key's end: the attributes after a quote; undefined: no end. */
  *#attributes([first, rest]: readonly string[]): Reading<string | undefined> {
    const { scanner } = this.#tools;
    if (rest === undefined) return '';
    if (first === '"') return (yield* scanner.shortText(new MarkerSet([rest, '\n']), longestName, [rest]))?.text;
    if ((yield* scanner.skipSpace()) !== undefined) yield* scanner.literal(rest);
    return '';
  }

  /** False when the tag is malformed. A marker that belongs to what comes next is left unread. */
  *#parameter(call: OpenCall): Reading<boolean> {
    const { scanner } = this.#tools;
    const { keyEnd, keyEnds } = this.#marks;
    const key = yield* scanner.shortText(keyEnds, longestName, [keyEnd[0], '\n']);
    const attributes = key?.marker === keyEnd[0] ? yield* this.#attributes(keyEnd) : '';
    const text = scanner.recorded();
    if (!key || attributes === undefined) {
      if (!scanner.isCut) scanner.restore(text);
      return false;
    }
    call.write(`${this.#parameters++ === 0 ? '{' : ','}${JSON.stringify(key.text.trim())}:`);
    const value = new ParameterValue(call, this.#tools, this.#kind(key.text.trim(), attributes));
    yield* this.#value(value);
    return true;
  }
  #kind(key: string, attributes: string): ValueKind {
    const written = /(?:string|type)="([^"]*)"/.exec(attributes)?.[1];
    if (this.#marks.attribute && written !== undefined) {
      return written === 'true' || written === 'string' ? 'string' : 'json';
    }
    return valueKind(parameterSchema(this.#tool, key), this.#tool?.parameters);
  }

  *#value(value: ParameterValue): Reading<void> {
    const { scanner } = this.#tools;
    const { wrapped, behind } = this.#marks;
    if (wrapped) yield* scanner.literal('\n');
    const quoted = this.#marks.cdata && (yield* scanner.literal('<![CDATA['));
    const close = quoted ? `]]>${this.#marks.close}` : this.#marks.close;
    const closes = quoted ? new MarkerSet([close]) : this.#marks.closes;
    let held = '';
    for (;;) {
      const found = yield* scanner.untilMarker(closes, (piece) => {
        // The last line break may be the one in front of the closing tag.
        const keep = wrapped && piece.endsWith('\n') ? piece.length - 1 : piece.length;
        value.write(held + piece.slice(0, keep));
        held = piece.slice(keep);
      });
      if (found === undefined) {
        if (!scanner.isCut) value.ended(held);
        return;
      }
      scanner.take(close.length);
      const space = yield* scanner.space();
      const next = yield* scanner.peek();
      // A closing tag counts only where the call goes on after it: values may be about such tags.
      const isEnd = next === undefined || (yield* scanner.next(behind)) !== undefined;
      if (scanner.isCut && scanner.ended) return;
      if (isEnd) return value.end();
      value.write(held + close + space);
      held = '';
    }
  }

  /** A model that writes all arguments as one object. */
  *#object(call: OpenCall): Reading<void> {
    const { scanner } = this.#tools;
    const json = new JsonText({ heal: this.#tools.heal, stops: this.#marks.behind.markers, write: call.write });
    yield* scanner.feed(json.read);
    this.#tools.repaired(json.repairs);
    if (!scanner.ended) this.#tools.writer.close();
  }

  #end(call: OpenCall): boolean {
    if (this.#parameters > 0) call.write('}');
    call.end();
    return true;
  }

  /** The output ends inside the call: what there is of its arguments stays as it is. */
  #ended(call: OpenCall): boolean {
    if (!this.#tools.scanner.isCut) call.start();
    return call.started;
  }
}

/** One value on its way to JSON: strings as they come, everything else when it is complete, so that none changes. */
class ParameterValue {
  #pieces: string[] = [];
  #begun = false;
  readonly #call: OpenCall;
  readonly #tools: CallTools;
  readonly #kind: ValueKind;

  constructor(call: OpenCall, tools: CallTools, kind: ValueKind) {
    this.#call = call;
    this.#tools = tools;
    this.#kind = kind;
    if (kind === 'string') this.write('');
  }

  write(text: string): void {
    if (this.#kind !== 'string') {
      this.#pieces.push(text);
      return;
    }
    this.#call.write(`${this.#begun ? '' : '"'}${inString(text)}`);
    this.#begun = true;
  }

  /** The output ends inside the value, with these characters. */
  ended(last: string): void {
    this.write(last);
    const text = this.#pieces.join('').trimStart();
    if (this.#kind === 'json') this.#call.write(text);
    else if (text !== '') this.#call.write(`"${inString(text)}`);
  }

  end(): void {
    if (this.#kind === 'string') {
      this.#call.write('"');
      return;
    }
    const { json, repairs } = toJson(this.#pieces.join(''), this.#kind, this.#tools.heal);
    this.#tools.repaired(repairs);
    this.#call.write(json);
  }
}
