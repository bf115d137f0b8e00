import type { FinishEvent, GenerationEvent, GenerationResult, TokenLogprob } from '../../src/contract/events.ts';
import { Collector } from '../../src/contract/events.ts';
import type { AnswerContext, Dialect, Frame, ParsedCall, WholeAnswer } from '../../src/dialects/dialect.ts';

export const answer: AnswerContext = {
  id: '123',
  created: 1_700_000_000,
  model: 'demo',
  newId: (prefix) => `${prefix}1`,
};

export function finish(more: Partial<FinishEvent> = {}): FinishEvent {
  return {
    type: 'finish',
    reason: 'stop',
    usage: { inputTokens: 7, cachedTokens: 3, outputTokens: 2, reasoningTokens: 0 },
    timings: { queueMs: 1, promptMs: 20, predictedMs: 4 },
    seed: 42,
    ...more,
  };
}

/** A token whose text is given, with the candidates above it. */
export function token(id: number, text: string, logprob: number, top: readonly [string, number][] = []): TokenLogprob {
  const bytes = (of: string) => [...new TextEncoder().encode(of)];
  return {
    token: id,
    text,
    bytes: bytes(text),
    logprob,
    top: top.map(([spelling, value], index) => ({
      token: 900 + index,
      text: spelling,
      bytes: bytes(spelling),
      logprob: value,
    })),
  };
}

type Written =
  | string
  | { readonly text: string; readonly logprobs: readonly TokenLogprob[] }
  | { readonly thinking: string }
  | { readonly call: string; readonly arguments: readonly string[] };

/** The events of an answer, one block per run of the same kind. */
export function events(written: readonly Written[], end: FinishEvent = finish()): GenerationEvent[] {
  const out: GenerationEvent[] = [
    { type: 'start', inputTokens: end.usage.inputTokens, cachedTokens: end.usage.cachedTokens },
  ];
  let index = -1;
  let kind: string | undefined;
  const open = (wanted: 'text' | 'reasoning') => {
    if (kind === wanted) return;
    close();
    kind = wanted;
    index += 1;
    out.push({ type: 'block-start', index, kind: wanted });
  };
  const close = () => {
    if (kind !== undefined) out.push({ type: 'block-end', index });
    kind = undefined;
  };
  for (const piece of written) {
    if (typeof piece === 'string') {
      open('text');
      out.push({ type: 'block-delta', index, delta: piece });
    } else if ('text' in piece) {
      open('text');
      out.push({ type: 'block-delta', index, delta: piece.text, logprobs: piece.logprobs });
    } else if ('thinking' in piece) {
      open('reasoning');
      out.push({ type: 'block-delta', index, delta: piece.thinking });
    } else {
      close();
      index += 1;
      out.push({ type: 'block-start', index, kind: 'tool-call', id: `call_${index}`, name: piece.call });
      for (const delta of piece.arguments) out.push({ type: 'block-delta', index, delta });
      out.push({ type: 'block-end', index });
    }
  }
  close();
  return [...out, end];
}

function collected(all: readonly GenerationEvent[]): GenerationResult {
  const collector = new Collector();
  for (const event of all) collector.add(event);
  return collector.result();
}

/** The frames of a streamed answer, its choices taking turns event by event. */
export function frames<Call extends ParsedCall>(
  dialect: Dialect<Call, WholeAnswer>,
  call: Call,
  choices: readonly (readonly GenerationEvent[])[],
): Frame[] {
  const encoder = dialect.encoder(call, answer);
  const longest = Math.max(0, ...choices.map((choice) => choice.length));
  const turns = Array.from({ length: longest }).flatMap((_, turn) =>
    choices.flatMap((choice, index) => {
      const event = choice[turn];
      return event ? encoder.encode(event, index) : [];
    }),
  );
  return [...turns, ...encoder.end()];
}

/** The frames as they stand behind `data: `. */
export function data(list: readonly Frame[]): unknown[] {
  return list.map((frame) => (frame.type === 'data' ? frame.data : frame.text));
}

export function whole<Call extends ParsedCall>(
  dialect: Dialect<Call, WholeAnswer>,
  call: Call,
  choices: readonly (readonly GenerationEvent[])[],
): unknown {
  return dialect.whole(call, answer, choices.map(collected));
}
