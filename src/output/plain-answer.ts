import type { ChatFormat } from '../contract/chat-format.ts';
import type { Reading } from './marker-scanner.ts';
import { MarkerSet } from './marker-scanner.ts';
import type { AnswerContext } from './output-machine.ts';
import { createReasoningReader } from './reasoning.ts';
import { TextSink } from './text-sink.ts';
import type { CallSyntax } from './tool-calls/call-reader.ts';
import { callSyntax } from './tool-calls/call-syntax.ts';
import { forcedCalls, isForced } from './tool-calls/forced.ts';

/** Thoughts, text and calls one after the other, told apart by their markers. */
export function* readPlainAnswer(context: AnswerContext): Reading<void> {
  const { scanner, writer, format, opening, enter } = context;
  const calls = callsOf(context);
  const text = new TextSink(writer, opening.continues === true && opening.block === 'text');
  const readThought = thoughts(context, text);
  const openMarker = format.reasoning?.open.trim() ?? '';
  const closeMarker = format.reasoning?.close.trim() ?? '';
  const wrapper = wrapperOf(format.text);
  const hidden = format.hidden ?? [];
  const markers = new MarkerSet([
    openMarker,
    closeMarker,
    ...(calls?.openers ?? []),
    wrapper.open,
    wrapper.close,
    ...hidden,
  ]);
  let wrapped = text.atBlockStart === false;

  if (opening.block === 'reasoning' && readThought) {
    yield* readThought(openedByPrompt(context), opening.continues === true);
  }
  for (;;) {
    enter('text');
    const marker = yield* scanner.untilMarker(markers, (piece) => text.write(piece));
    if (marker === undefined) return text.end();
    if (marker === openMarker && readThought && text.atLineStart) {
      yield* readThought(scanner.take(marker.length), false);
    } else if (marker === closeMarker && text.atBlockStart && context.reasoningFormat === 'auto') {
      // A thought that was never opened and is empty: some models answer so when told not to think.
      scanner.take(marker.length);
      text.afterPart();
    } else if (marker === wrapper.open && text.atBlockStart) {
      scanner.take(marker.length);
      wrapped = true;
    } else if (hidden.includes(marker) || (marker === wrapper.close && (wrapped || text.atBlockStart))) {
      scanner.take(marker.length);
      wrapped &&= marker !== wrapper.close;
      text.afterPart();
    } else if (calls?.openers.includes(marker) && (text.atBlockStart || !calls.onlyAtStart?.includes(marker))) {
      enter('tool-call');
      const before = writer.count;
      const space = text.holdSpace();
      const rest = yield* calls.read();
      if (writer.count > before) text.afterBlock();
      else text.write(space);
      text.write(rest);
    } else {
      text.write(scanner.take(marker.length));
    }
  }
}

function callsOf({ calls, format, toolChoice }: AnswerContext): CallSyntax | undefined {
  const own = calls && format.toolCalls ? callSyntax(format.toolCalls, calls) : undefined;
  return calls?.heal && isForced(toolChoice) ? forcedCalls(own, calls, toolChoice) : own;
}

function wrapperOf(text: ChatFormat['text']): { readonly open: string; readonly close: string } {
  return { open: text?.open.trim() ?? '', close: text?.close.trim() ?? '' };
}

/** Thoughts go to their own block, or with their markers into the text. `opened` is what opened the thought. */
function thoughts(context: AnswerContext, text: TextSink) {
  const { scanner, writer, format, enter, reasoningFormat } = context;
  if (!format.reasoning) return undefined;
  const markers = format.reasoning;
  const close = markers.close.trim();
  const ends = new MarkerSet([close, ...(markers.alsoEndedBy ?? [])]);
  const read = createReasoningReader(markers, scanner, { write: (piece) => writer.reasoning(piece) });

  function* readInText(opened: string): Reading<void> {
    text.write(opened);
    const end = yield* scanner.untilMarker(ends, (piece) => text.write(piece));
    if (end === close) text.write(scanner.take(close.length));
  }

  return function* readThought(opened: string, continues: boolean): Reading<void> {
    enter('reasoning');
    if (reasoningFormat === 'none') return yield* readInText(opened);
    text.beforeBlock();
    yield* read(continues);
    writer.close();
    text.afterBlock();
  };
}

/** The end of the prompt that opens the thought. */
function openedByPrompt({ format, opening }: AnswerContext): string {
  const { open = '' } = format.reasoning ?? {};
  const at = opening.generationPrompt.lastIndexOf(open.trim());
  return at < 0 ? open : opening.generationPrompt.slice(at);
}
