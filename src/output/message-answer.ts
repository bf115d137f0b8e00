import type { MessageLayout } from '../contract/chat-format.ts';
import type { AnswerContext } from './answer-context.ts';
import { MarkerSet, type Reading } from './marker-scanner.ts';
import type { CallTools } from './tool-calls/call-reader.ts';
import { OpenCall } from './tool-calls/call-reader.ts';
import { callSyntax } from './tool-calls/call-syntax.ts';
import { JsonText } from './tool-calls/json-text.ts';

/** Who a message is for, as its header says. */
type Addressee = { readonly kind: 'reasoning' | 'text' } | { readonly kind: 'call'; readonly name: string };

const longestHeader = 300;

export function* readMessageAnswer(context: AnswerContext, layout: MessageLayout): Reading<void> {
  const reader = new MessageAnswer(context, layout);
  yield* reader.read();
}

class MessageAnswer {
  readonly #context: AnswerContext;
  readonly #layout: MessageLayout;
  readonly #bodyEnds: MarkerSet;
  readonly #headerMarks: MarkerSet;
  readonly #beginnings: MarkerSet;

  constructor(context: AnswerContext, layout: MessageLayout) {
    this.#context = context;
    this.#layout = layout;
    this.#bodyEnds = new MarkerSet([...layout.ends, layout.start]);
    this.#headerMarks = new MarkerSet([...layout.ends, layout.start, layout.message, ...Object.values(layout.fields)]);
    this.#beginnings = new MarkerSet([...this.#headerMarks.markers, ...layout.beginnings]);
  }

  *read(): Reading<void> {
    const { opening, scanner } = this.#context;
    if (opening.block === 'reasoning') yield* this.#body({ kind: 'reasoning' });
    else if (this.#insideBody(opening.generationPrompt)) yield* this.#body({ kind: 'text' });
    while ((yield* scanner.peek()) !== undefined) {
      const addressee = yield* this.#header();
      if (addressee) yield* this.#body(addressee);
    }
  }

  #insideBody(prompt: string): boolean {
    return prompt.lastIndexOf(this.#layout.message) > prompt.lastIndexOf(this.#layout.start);
  }

  /** undefined: the output ended in the header. Text without a header is an answer. */
  *#header(): Reading<Addressee | undefined> {
    const { scanner, writer } = this.#context;
    scanner.record();
    if ((yield* scanner.skipSpace()) === undefined) return undefined;
    if ((yield* scanner.next(this.#beginnings)) === undefined) {
      if (scanner.ended) return undefined;
      writer.text(scanner.recorded());
      return { kind: 'text' };
    }
    let header = '';
    for (;;) {
      const part = yield* scanner.shortText(this.#headerMarks, longestHeader, this.#headerMarks.markers);
      if (!part) {
        const text = scanner.recorded();
        if (!scanner.ended) writer.text(text);
        return scanner.ended ? undefined : { kind: 'text' };
      }
      header = this.#layout.ends.includes(part.marker) || part.marker === this.#layout.start ? '' : header + part.text;
      if (part.marker === this.#layout.message) {
        scanner.recorded();
        return addresseeOf(header, this.#layout);
      }
      const field = Object.entries(this.#layout.fields).find(([, marker]) => marker === part.marker)?.[0];
      if (field) header += ` ${field}=`;
    }
  }

  *#body(addressee: Addressee): Reading<void> {
    const { scanner, writer, calls, enter } = this.#context;
    if (addressee.kind === 'reasoning') yield* this.#thought();
    else if (addressee.kind === 'call' && calls) yield* this.#call(calls, addressee.name);
    else yield* this.#text();
    writer.close();
    enter('text');
    const end = yield* scanner.next(this.#bodyEnds);
    if (end !== undefined && end !== this.#layout.start) scanner.take(end.length);
  }

  *#text(): Reading<void> {
    const { scanner, writer, enter } = this.#context;
    enter('text');
    yield* scanner.untilMarker(this.#bodyEnds, (piece) => writer.text(piece));
  }

  *#thought(): Reading<void> {
    const { scanner, writer, enter, format, reasoningFormat } = this.#context;
    enter('reasoning');
    if (reasoningFormat === 'auto') {
      yield* scanner.untilMarker(this.#bodyEnds, (piece) => writer.reasoning(piece));
      return;
    }
    writer.text(format.reasoning?.open ?? '');
    const end = yield* scanner.untilMarker(this.#bodyEnds, (piece) => writer.text(piece));
    if (end !== undefined) writer.text(format.reasoning?.close ?? '');
  }

  *#call(calls: CallTools, written: string): Reading<void> {
    const { scanner, writer, format, enter } = this.#context;
    enter('tool-call');
    const syntax = format.toolCalls && callSyntax(format.toolCalls, calls);
    if (syntax) {
      const text = yield* syntax.read();
      if (!scanner.isCut) writer.text(text);
      if (writer.open !== 'text') yield* scanner.skipSpace();
    } else {
      yield* this.#jsonBody(calls, written);
    }
    if (!scanner.ended) yield* this.#text();
  }

  /** The body is the arguments, also where it is no object: who is called is certain. */
  *#jsonBody(calls: CallTools, written: string): Reading<void> {
    const { scanner, writer } = this.#context;
    const name = calls.offered(written);
    if (name === undefined) return;
    const call = new OpenCall(calls, name);
    call.start();
    const next = yield* scanner.skipSpace();
    if (next === undefined) return;
    if (next !== '{') {
      yield* scanner.untilMarker(this.#bodyEnds, call.write);
      if (!scanner.ended) call.end();
      return;
    }
    const json = new JsonText({ heal: calls.heal, stops: this.#bodyEnds.markers, write: call.write });
    yield* scanner.feed(json.read);
    calls.repaired(json.repairs);
    if (scanner.ended) return;
    writer.close();
    yield* scanner.skipSpace();
  }
}

function addresseeOf(header: string, { recipients, channels }: MessageLayout): Addressee {
  const recipient = [...header.matchAll(/\bto=([^\s;]+)/g)]
    .flatMap(([, name = '']) => name)
    .find((name) => recipients[name] !== 'nobody');
  if (recipient !== undefined) {
    const kind = recipients[recipient];
    return kind === 'reasoning' || kind === 'text' ? { kind } : { kind: 'call', name: recipient };
  }
  const channel = [...header.matchAll(/channel= *(\w+)/g)].at(-1)?.[1] ?? '';
  return { kind: channels[channel] === 'reasoning' ? 'reasoning' : 'text' };
}
