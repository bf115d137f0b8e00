import type { ChatFormat } from '../contract/chat-format.ts';
import type { Reading } from './marker-scanner.ts';
import { MarkerSet } from './marker-scanner.ts';
import type { AnswerContext } from './output-machine.ts';
import { createReasoningReader } from './reasoning.ts';
import { TextSink } from './text-sink.ts';
import { callSyntax } from './tool-calls/call-syntax.ts';

/** Thoughts, text and calls one after the other, told apart by their markers. */
export function* readPlainAnswer(context: AnswerContext): Reading<void> {
  const { scanner, writer, format, opening, enter } = context;
  const calls = context.calls && format.toolCalls ? callSyntax(format.toolCalls, context.calls) : undefined;
  const text = new TextSink(writer, opening.continues === true && opening.block === 'text');
  const thought = thoughts(context, text);
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

  if (opening.block === 'reasoning' && thought) yield* thought.read(opening.continues === true);
  for (;;) {
    enter('text');
    const marker = yield* scanner.untilMarker(markers, (piece) => text.write(piece));
    if (marker === undefined) return text.end();
    if (marker === openMarker && thought && text.atLineStart) {
      scanner.take(marker.length);
      yield* thought.read(false);
    } else if (marker === closeMarker && text.atBlockStart && context.reasoningFormat === 'auto') {
      // A thought that was never opened and is empty: some models answer so when told not to think.
      scanner.take(marker.length);
    } else if (marker === wrapper.open && text.atBlockStart) {
      scanner.take(marker.length);
      wrapped = true;
    } else if (hidden.includes(marker) || (marker === wrapper.close && (wrapped || text.atBlockStart))) {
      scanner.take(marker.length);
      wrapped &&= marker !== wrapper.close;
      text.afterPart();
    } else if (calls?.openers.includes(marker) && (!calls.onlyAtStart || text.atBlockStart)) {
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

function wrapperOf(text: ChatFormat['text']): { readonly open: string; readonly close: string } {
  return { open: text?.open.trim() ?? '', close: text?.close.trim() ?? '' };
}

/** Thoughts go to their own block, or with their markers into the text. */
function thoughts(context: AnswerContext, text: TextSink) {
  const { scanner, writer, format, opening, enter, reasoningFormat } = context;
  if (!format.reasoning) return undefined;
  const markers = format.reasoning;
  if (reasoningFormat === 'none') {
    const ends = new MarkerSet([markers.close.trim()]);
    let begun = false;
    return {
      *read(): Reading<void> {
        if (begun || opening.block === 'text') text.write(markers.open);
        else text.write(opening.generationPrompt.slice(opening.generationPrompt.lastIndexOf(markers.open.trim())));
        begun = true;
        enter('reasoning');
        const end = yield* scanner.untilMarker(ends, (piece) => text.write(piece));
        if (end !== undefined) text.write(scanner.take(end.length));
      },
    };
  }
  const read = createReasoningReader(markers, scanner, { write: (piece) => writer.reasoning(piece) });
  return {
    *read(continues: boolean): Reading<void> {
      enter('reasoning');
      text.beforeBlock();
      yield* read(continues);
      writer.close();
      text.afterBlock();
    },
  };
}
