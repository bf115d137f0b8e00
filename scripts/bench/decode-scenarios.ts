import type { ModelName } from './bench-model.ts';
import type { ChatResult } from './chat.ts';
import { chat } from './chat.ts';
import type { Measure, Scenario } from './scenario.ts';
import { someWords } from './words.ts';

const tokensPerStream: Record<ModelName, number> = { mini: 256, 'half-b': 64 };

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

/** All tokens behind the first ones, over the time from the first piece of text to the last. */
export function tokensPerSecond(results: readonly ChatResult[]): number {
  const tokens = results.reduce((sum, { completionTokens }) => sum + completionTokens - 1, 0);
  const first = Math.min(...results.map(({ pieceTimes }) => pieceTimes[0] ?? Number.NaN));
  const last = Math.max(...results.map(({ pieceTimes }) => pieceTimes.at(-1) ?? Number.NaN));
  return (tokens / (last - first)) * 1000;
}

export const decodeScenarios: readonly Scenario[] = [
  decode(1, { mini: 0.9, 'half-b': 1 }),
  decode(4, { mini: 1, 'half-b': 1 }),
  decode(8, { mini: 1, 'half-b': 1 }),
  deep,
];
