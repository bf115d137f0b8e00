import type { FinishEvent, GenerationEvent } from '../../../src/contract/events.ts';
import type { AnswerContext, Frame } from '../../../src/dialects/dialect.ts';
import { ResponsesEncoder } from '../../../src/dialects/openai-responses/encoder.ts';
import { parseResponses, type ResponsesCall } from '../../../src/dialects/openai-responses/request.ts';

export function answerContext(): AnswerContext {
  let next = 0;
  return { id: '0af1', created: 1_760_000_000, model: 'demo', newId: (prefix) => `${prefix}${next++}` };
}

export const start: GenerationEvent = { type: 'start', inputTokens: 12, cachedTokens: 5 };

export function finish(changes: Partial<FinishEvent> = {}): FinishEvent {
  return {
    type: 'finish',
    reason: 'stop',
    usage: { inputTokens: 12, cachedTokens: 5, outputTokens: 7, reasoningTokens: 3 },
    timings: { queueMs: 500, promptMs: 1000, predictedMs: 600 },
    seed: 1,
    ...changes,
  };
}

/** Blocks as a test writes them: the pieces are the deltas. */
export type BlockScript =
  | { readonly kind: 'text' | 'reasoning'; readonly pieces: readonly string[] }
  | { readonly kind: 'tool-call'; readonly id: string; readonly name: string; readonly pieces: readonly string[] };

function blockEvents(blocks: readonly BlockScript[]): GenerationEvent[] {
  return blocks.flatMap((block, index): GenerationEvent[] => {
    const { pieces, ...head } = block;
    return [
      { type: 'block-start', index, ...head },
      ...pieces.map((delta): GenerationEvent => ({ type: 'block-delta', index, delta })),
      { type: 'block-end', index },
    ];
  });
}

export function generation(blocks: readonly BlockScript[], end: FinishEvent = finish()): GenerationEvent[] {
  return [start, ...blockEvents(blocks), end];
}

export function textBlock(...pieces: string[]): BlockScript {
  return { kind: 'text', pieces };
}

export function reasoningBlock(...pieces: string[]): BlockScript {
  return { kind: 'reasoning', pieces };
}

export function callBlock(name: string, ...pieces: string[]): BlockScript {
  return { kind: 'tool-call', id: `call_${name}`, name, pieces };
}

export function frames(body: object | ResponsesCall, events: readonly GenerationEvent[]): Frame[] {
  const call = 'directory' in body ? body : parseResponses({ input: 'hi', ...body });
  const encoder = new ResponsesEncoder(call, answerContext());
  return [...events.flatMap((event) => encoder.encode(event)), ...encoder.end()];
}
