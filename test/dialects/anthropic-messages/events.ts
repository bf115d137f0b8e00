import fc from 'fast-check';
import type { BlockStart, FinishEvent, GenerationEvent } from '../../../src/contract/events.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import type { AnswerContext, Frame } from '../../../src/dialects/dialect.ts';

export const answer: AnswerContext = {
  id: '7',
  created: 1_700_000_000,
  model: 'tiny',
  newId: (prefix) => `${prefix}1`,
};

export const finish: FinishEvent = {
  type: 'finish',
  reason: 'stop',
  usage: { inputTokens: 100, cachedTokens: 90, outputTokens: 12, reasoningTokens: 5 },
  timings: { queueMs: 0, promptMs: 1, predictedMs: 2 },
  seed: 1,
};

export interface BlockText {
  readonly kind: BlockStart['kind'];
  readonly pieces: readonly string[];
  readonly id?: string;
  readonly name?: string;
}

/** Blocks -> the events of one generation. */
export function eventsOf(blocks: readonly BlockText[], end: Partial<FinishEvent> = {}): GenerationEvent[] {
  const { inputTokens, cachedTokens } = finish.usage;
  return [
    { type: 'start', inputTokens, cachedTokens },
    ...blocks.flatMap((block, index): GenerationEvent[] => [
      startOf(block, index),
      ...block.pieces.map((delta) => ({ type: 'block-delta', index, delta }) as const),
      { type: 'block-end', index },
    ]),
    { ...finish, ...end },
  ];
}

function startOf({ kind, id = 'call_1', name = 'look' }: BlockText, index: number): BlockStart {
  return kind === 'tool-call' ? { type: 'block-start', index, kind, id, name } : { type: 'block-start', index, kind };
}

/** The frames of a whole stream. `body` is the request it answers. */
export function framesOf(events: readonly GenerationEvent[], body: object = {}): Frame[] {
  const call = anthropicMessages.parse({ messages: [{ role: 'user', content: 'Hi' }], ...body });
  const encoder = anthropicMessages.encoder(call, answer);
  return [...events.flatMap((event) => encoder.encode(event, 0)), ...encoder.end()];
}

const cut = (text: string) =>
  fc.array(fc.nat({ max: text.length }), { maxLength: 4 }).map((places) => cutAt(text, places));

function cutAt(text: string, places: readonly number[]): string[] {
  const ends = [...places, text.length].sort((left, right) => left - right);
  return ends.map((end, index) => text.slice(index === 0 ? 0 : ends[index - 1], end));
}

const text = fc.string({ unit: 'grapheme', maxLength: 30 }).chain(cut);
const json = fc.dictionary(
  fc.string({ maxLength: 6 }).filter((key) => key !== '__proto__'),
  fc.jsonValue({ maxDepth: 1 }),
  { maxKeys: 3 },
);
const block: fc.Arbitrary<BlockText> = fc.oneof(
  text.map((pieces) => ({ kind: 'text', pieces }) as const),
  text.map((pieces) => ({ kind: 'reasoning', pieces }) as const),
  fc
    .tuple(
      json.chain((value) => cut(JSON.stringify(value))),
      fc.uuid(),
      fc.constantFrom('look', 'run_it'),
    )
    .map(([pieces, id, name]) => ({ kind: 'tool-call', pieces, id, name }) as const),
);

/** Any blocks in any order, their texts in pieces, some of them empty. */
export const anyBlocks = fc.array(block, { maxLength: 6 });
export const anyEnd = fc.constantFrom<Partial<FinishEvent>>(
  { reason: 'stop' },
  { reason: 'length' },
  { reason: 'tool-calls' },
  { reason: 'stop', stopString: '###' },
  { reason: 'stop', cancelled: true },
);
