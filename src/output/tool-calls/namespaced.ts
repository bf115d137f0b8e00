import type { NamespacedCalls } from '../../contract/chat-format.ts';
import type { JsonObject } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import { type CallSyntax, type CallTools, OpenCall } from './call-reader.ts';
import { framedCalls, frameMarkers } from './frame.ts';
import { inString } from './json-text.ts';
import { partSchema, schemaTypes, toJson, valueKind } from './value-types.ts';

const longestName = 200;

/**
 * MiniMax M3: every tag has the namespace before it, the parameter's name is its tag, objects and arrays are nested tags
 * (array items are called `item`).
 */
export function namespacedCalls(format: NamespacedCalls, tools: CallTools): CallSyntax {
  const { closers } = frameMarkers(format);
  const marks = {
    nameEnds: new MarkerSet(['">', '\n']),
    tagEnds: new MarkerSet(['>', '\n']),
    namespaces: new MarkerSet([format.namespace]),
    namespace: format.namespace,
    closers: new MarkerSet(closers),
  };
  return framedCalls(format, tools, { readCall: () => new NamespacedCall(marks, tools).read() });
}

interface Marks {
  readonly nameEnds: MarkerSet;
  readonly tagEnds: MarkerSet;
  readonly namespaces: MarkerSet;
  readonly namespace: string;
  readonly closers: MarkerSet;
}

/** What follows a namespace: an opening tag, a closing tag; undefined at the end, at a closer of the call, or at text. */
type Tag = { readonly name: string; readonly closing: boolean } | undefined;

/** A value without tags of its own: what it may be, and the whitespace that was read of it. */
interface Leaf {
  readonly schema: JsonObject | undefined;
  readonly before: string;
}

class NamespacedCall {
  readonly #marks: Marks;
  readonly #tools: CallTools;
  #root: JsonObject | undefined;

  constructor(marks: Marks, tools: CallTools) {
    this.#marks = marks;
    this.#tools = tools;
  }

  *read(): Reading<boolean> {
    const { scanner } = this.#tools;
    const head = yield* scanner.shortText(this.#marks.nameEnds, longestName, ['">']);
    const name = head?.marker === '">' ? this.#tools.offered(head.text) : undefined;
    if (name === undefined) return false;
    const call = new OpenCall(this.#tools, name);
    call.start();
    this.#root = this.#tools.tool(name)?.parameters;
    const next = yield* scanner.skipSpace();
    const atEnd = next === undefined || (yield* scanner.next(this.#marks.closers)) !== undefined;
    if (!atEnd && (yield* scanner.next(this.#marks.namespaces)) !== undefined) {
      yield* this.#members(call, this.#root, '{');
    }
    if (!scanner.ended) call.end();
    return true;
  }

  /** Tags up to the closing one of what holds them, as members of an object or items of an array. */
  *#members(call: OpenCall, schema: JsonObject | undefined, bracket: '{' | '['): Reading<void> {
    call.write(bracket);
    for (let count = 0; ; count++) {
      const tag = yield* this.#tag();
      if (!tag || tag.closing) break;
      call.write(`${count > 0 ? ',' : ''}${bracket === '{' ? `${JSON.stringify(tag.name)}:` : ''}`);
      yield* this.#value(call, tag.name, bracket === '{' ? this.#property(schema, tag.name) : this.#items(schema));
    }
    if (!this.#tools.scanner.ended) call.write(bracket === '{' ? '}' : ']');
  }

  *#tag(): Reading<Tag> {
    const { scanner } = this.#tools;
    if ((yield* scanner.skipSpace()) === undefined) return undefined;
    if ((yield* scanner.next(this.#marks.closers)) !== undefined) return undefined;
    if (!(yield* scanner.literal(`${this.#marks.namespace}<`))) return undefined;
    const tag = yield* scanner.shortText(this.#marks.tagEnds, longestName, ['>']);
    if (tag?.marker !== '>') return undefined;
    const closing = tag.text.startsWith('/');
    return { name: tag.text.slice(closing ? 1 : 0).trim(), closing };
  }

  /** A value after its opening tag, up to and with the closing one. */
  *#value(call: OpenCall, name: string, schema: JsonObject | undefined): Reading<void> {
    const { scanner } = this.#tools;
    const types = schemaTypes(schema, this.#root);
    const before = yield* scanner.space();
    const nested = (yield* scanner.peek()) !== undefined && (yield* this.#opensTag());
    if (nested && !types?.has('string')) {
      const isArray = types?.has('array') || (!types?.has('object') && nested === 'item');
      yield* this.#members(call, schema, isArray ? '[' : '{');
      return;
    }
    yield* this.#leaf(call, this.#ends(name), { schema, before });
    if ((yield* scanner.next(this.#ends(name))) === this.#closing(name)) yield* this.#tag();
  }

  #closing(name: string): string {
    return `${this.#marks.namespace}</${name}>`;
  }

  /** Text may contain tags: it ends at its own closing one, or with the call. */
  #ends(name: string): MarkerSet {
    return new MarkerSet([this.#closing(name), ...this.#marks.closers.markers]);
  }

  /** The name of the tag that opens here; undefined when none does. */
  *#opensTag(): Reading<string | undefined> {
    const { scanner } = this.#tools;
    const item = `${this.#marks.namespace}<item>`;
    const close = `${this.#marks.namespace}</`;
    const open = `${this.#marks.namespace}<`;
    const found = yield* scanner.next(new MarkerSet([item, close, open]));
    if (found === undefined || found === close) return undefined;
    return found === item ? 'item' : 'member';
  }

  *#leaf(call: OpenCall, ends: MarkerSet, { schema, before }: Leaf): Reading<void> {
    const { scanner, heal } = this.#tools;
    const kind = valueKind(schema, this.#root);
    if (kind === 'string') {
      call.write(`"${inString(before)}`);
      yield* scanner.untilMarker(ends, (piece) => call.write(inString(piece)));
      if (!scanner.ended) call.write('"');
      return;
    }
    let text = before;
    yield* scanner.untilMarker(ends, (piece) => {
      text += piece;
    });
    if (scanner.isCut && scanner.ended) return;
    const { json, repairs } = this.#empty(text, schema) ?? toJson(text, kind, heal);
    this.#tools.repaired(repairs);
    call.write(json);
  }

  /** An object or an array without tags inside has no members. */
  #empty(text: string, schema: JsonObject | undefined) {
    const types = schemaTypes(schema, this.#root);
    if (text.trim() !== '' || !types || types.has('string') || this.#tools.scanner.ended) return undefined;
    if (types.has('array')) return { json: '[]', repairs: 0 };
    return types.has('object') ? { json: '{}', repairs: 0 } : undefined;
  }

  #property(schema: JsonObject | undefined, name: string): JsonObject | undefined {
    return partSchema(schema, this.#root, ({ properties, additionalProperties }) =>
      isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties,
    );
  }

  #items(schema: JsonObject | undefined): JsonObject | undefined {
    return partSchema(schema, this.#root, ({ items }) => items);
  }
}
