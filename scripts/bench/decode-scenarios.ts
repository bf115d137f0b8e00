import type { ModelName } from './bench-model.ts';
import type { ChatResult } from './chat.ts';
import { chat } from './chat.ts';
import type { Measure, Scenario } from './scenario.ts';
import { someWords } from './words.ts';

const tokensPerStream: Record<ModelName, number> = { mini: 384, 'half-b': 96 };

const decode = (streams: number, goal: Measure['goal']): Scenario => ({
  name: `decode-${streams}`,
  measures: [
    {
      title: streams === 1 ? 'decode, 1 stream' : `decode, ${streams} streams together`,
      unit: 'tokens/s',
      better: 'higher',
      ...(goal && { goal }),
    },
  ],
  async run({ server, model, seed }) {
    const maxTokens = tokensPerStream[model];
    const chats = Array.from({ length: streams }, (_, stream) =>
      chat(server.port, { messages: [{ role: 'user', content: someWords(10, seed + stream) }], maxTokens }),
    );
    return [tokensPerSecond(await Promise.all(chats))];
  },
});

const deep: Scenario = {
  name: 'decode-deep',
  measures: [
    {
      title: 'decode, 1 stream at a depth of 2,000 tokens',
      unit: 'tokens/s',
      better: 'higher',
      goal: { 'half-b': 1.05 },
    },
  ],
  async run({ server, model }) {
    // The same prompt in every round: only the decoding behind it is measured.
    const messages = [{ role: 'user', content: someWords(2000, 1) } as const];
    return [tokensPerSecond([await chat(server.port, { messages, maxTokens: tokensPerStream[model] })])];
  },
};

/**
 * The tokens of all streams together while all of them run: from the moment the last one begins to the moment the first
 * one ends. What comes before is the reading of the other prompts, which other scenarios measure.
 */
export function tokensPerSecond(results: readonly ChatResult[]): number {
  const begin = Math.max(...results.map(({ pieceTimes }) => pieceTimes[0] ?? Number.NaN));
  const end = Math.min(...results.map(({ pieceTimes }) => pieceTimes.at(-1) ?? Number.NaN));
  if (!(end > begin)) throw new Error('the streams never ran all together');
  const tokens = results.reduce((sum, result) => sum + tokensBetween(result, begin, end), 0);
  return (tokens / (end - begin)) * 1000;
}

/** A piece of text has more than one token where a character does. */
function tokensBetween({ pieceTimes, completionTokens }: ChatResult, begin: number, end: number): number {
  const pieces = pieceTimes.filter((time) => time > begin && time <= end).length;
  return (pieces * completionTokens) / pieceTimes.length;
}

export const decodeScenarios: readonly Scenario[] = [
  decode(1, { mini: 0.9, 'half-b': 1 }),
  decode(4, { mini: 1, 'half-b': 1 }),
  decode(8, { mini: 1, 'half-b': 1 }),
  deep,
];
