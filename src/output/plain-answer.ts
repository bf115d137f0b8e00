import { type ChatFormat, spaceBehindThought } from '../contract/chat-format.ts';
import { requiresCall } from '../contract/request.ts';
import type { AnswerContext } from './answer-context.ts';
import type { Reading } from './marker-scanner.ts';
import { MarkerSet } from './marker-scanner.ts';
import { createReasoningReader } from './reasoning.ts';
import { type ExactText, TextSink } from './text-sink.ts';
import type { CallSyntax } from './tool-calls/call-reader.ts';
import { callSyntax } from './tool-calls/call-syntax.ts';
import { forcedCalls } from './tool-calls/forced.ts';

/** Thoughts, text and calls one after the other, told apart by their markers. */
export function* readPlainAnswer(context: AnswerContext): Reading<void> {
  yield* new PlainAnswer(context).read();
}

/** What a marker is where it stands; undefined: text. */
type Role = 'thought' | 'empty thought' | 'text begins' | 'text ends' | 'hidden' | 'call' | undefined;

class PlainAnswer {
  readonly #context: AnswerContext;
  readonly #text: TextSink;
  readonly #calls: CallSyntax | undefined;
  readonly #readThought: ThoughtReader | undefined;
  readonly #open: string;
  readonly #close: string;
  readonly #wrapper: { readonly open: string; readonly close: string };
  readonly #hidden: readonly string[];
  readonly #markers: MarkerSet;
  readonly #opensAnywhere: boolean;
  #wrapped: boolean;

  constructor(context: AnswerContext) {
    const { writer, format, opening } = context;
    this.#context = context;
    const inside = opening.continues === true && opening.block === 'text';
    this.#text = new TextSink(writer, inside, exactText(context));
    this.#calls = callsOf(context);
    this.#readThought = thoughts(context, this.#text);
    this.#open = format.reasoning?.open.trim() ?? '';
    this.#close = format.reasoning?.close.trim() ?? '';
    this.#opensAnywhere = format.reasoning?.opensAnywhere === true;
    this.#wrapper = wrapperOf(format.text);
    this.#hidden = format.hidden ?? [];
    this.#markers = new MarkerSet([
      this.#open,
      this.#close,
      ...(this.#calls?.openers ?? []),
      this.#wrapper.open,
      this.#wrapper.close,
      ...this.#hidden,
    ]);
    this.#wrapped = !this.#text.atBlockStart;
  }

  *read(): Reading<void> {
    const { scanner, opening, enter } = this.#context;
    if (opening.block === 'reasoning' && this.#readThought) {
      yield* this.#readThought(openedByPrompt(this.#context), opening.continues === true);
    }
    for (;;) {
      enter('text');
      const marker = yield* scanner.untilMarker(this.#markers, (piece) => this.#text.write(piece), this.#isText);
      if (marker === undefined) return this.#text.end(scanner.isCut);
      yield* this.#marked(marker);
    }
  }

  *#marked(marker: string): Reading<void> {
    const { scanner } = this.#context;
    const role = this.#role(marker);
    switch (role) {
      case 'thought':
        if (this.#readThought) yield* this.#readThought(scanner.take(marker.length), false);
        return;
      case 'call':
        if (this.#calls) yield* this.#call(this.#calls);
        return;
      case 'text begins':
        scanner.take(marker.length);
        this.#wrapped = true;
        return this.#text.atOpening();
      case 'text ends':
      case 'hidden':
        scanner.take(marker.length);
        if (role === 'text ends') this.#wrapped = false;
        return this.#text.afterPart();
      case 'empty thought':
        scanner.take(marker.length);
        return this.#text.afterThought();
      case undefined:
        return this.#text.write(scanner.take(marker.length));
      default:
        role satisfies never;
    }
  }

  #role(marker: string): Role {
    const { reasoningFormat } = this.#context;
    const { atBlockStart, atLineStart } = this.#text;
    if (marker === this.#open && this.#readThought && (atLineStart || this.#opensAnywhere)) return 'thought';
    const endsText = marker === this.#wrapper.close;
    // A thought that was never opened and is empty: some models answer so when told not to think.
    const endsNothing = marker === this.#close && atBlockStart && !(endsText && this.#wrapped);
    if (endsNothing && reasoningFormat === 'auto') return 'empty thought';
    if (marker === this.#wrapper.open && atBlockStart) return 'text begins';
    if (endsText && (this.#wrapped || atBlockStart)) return 'text ends';
    if (this.#hidden.includes(marker)) return 'hidden';
    const isCall =
      this.#calls?.openers.includes(marker) && (atBlockStart || !this.#calls.onlyAtStart?.includes(marker));
    return isCall ? 'call' : undefined;
  }

  /** Whether what begins so at a cut is none of the markers that are hidden here. Whitespace before one goes with it. */
  readonly #isText = (beginning: string): boolean => {
    const isShown = (role: Role) =>
      role === undefined || (role === 'thought' && this.#context.reasoningFormat === 'none');
    const isMarkup = this.#markers.markers.some(
      (marker) => (marker.startsWith(beginning) || beginning.startsWith(marker)) && !isShown(this.#role(marker)),
    );
    if (isMarkup) this.#text.beforeBlock();
    return !isMarkup;
  };

  *#call(calls: CallSyntax): Reading<void> {
    const { writer, enter, scanner } = this.#context;
    enter('tool-call');
    const before = writer.count;
    const space = this.#text.holdSpace();
    const rest = yield* calls.read();
    if (writer.count > before) {
      this.#text.beforeBlock(space);
      this.#text.afterBlock();
    } else if (!scanner.isCut) {
      this.#text.write(space);
    }
    if (!scanner.isCut) this.#text.write(rest);
  }
}

type ThoughtReader = (opened: string, continues: boolean) => Reading<void>;

function callsOf({ calls, format, toolChoice }: AnswerContext): CallSyntax | undefined {
  const own = calls && format.toolCalls ? callSyntax(format.toolCalls, calls) : undefined;
  return calls?.heal && requiresCall(toolChoice) ? forcedCalls(own, calls, toolChoice) : own;
}

function wrapperOf(text: ChatFormat['text']): { readonly open: string; readonly close: string } {
  return { open: text?.open.trim() ?? '', close: text?.close.trim() ?? '' };
}

/** Thoughts go to their own block, or with their markers into the text. `opened` is what opened the thought. */
function thoughts(context: AnswerContext, text: TextSink): ThoughtReader | undefined {
  const { scanner, writer, format, enter, reasoningFormat } = context;
  if (!format.reasoning) return undefined;
  const markers = format.reasoning;
  const close = markers.close.trim();
  const ends = new MarkerSet([close, ...(markers.alsoEndedBy ?? [])]);
  const read = createReasoningReader(markers, scanner, { write: (piece) => writer.reasoning(piece) });

  function* readInText(opened: string): Reading<void> {
    text.write(opened);
    const end = yield* scanner.untilMarker(
      ends,
      (piece) => text.write(piece),
      (beginning) => ends.markers.every((marker) => marker === close || !marker.startsWith(beginning)),
    );
    if (end === close) text.write(scanner.take(close.length));
    text.afterThoughtInText();
  }

  return function* readThought(opened, continues): Reading<void> {
    enter('reasoning');
    if (reasoningFormat === 'none') return yield* readInText(opened);
    text.beforeBlock();
    yield* read(continues);
    writer.close();
    text.afterThought();
  };
}

function exactText({ exactText, format }: AnswerContext): ExactText | undefined {
  return exactText ? { behindThought: format.reasoning ? spaceBehindThought(format.reasoning) : '' } : undefined;
}

/** The end of the prompt that opens the thought. */
function openedByPrompt({ format, opening }: AnswerContext): string {
  const { open = '' } = format.reasoning ?? {};
  const at = opening.generationPrompt.lastIndexOf(open.trim());
  return at < 0 ? open : opening.generationPrompt.slice(at);
}
