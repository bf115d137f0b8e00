import { tokensPerSecond } from '../../src/bench/rates.ts';
import { someWords } from '../../src/bench/words.ts';
import type { ModelName } from './bench-model.ts';
import { chat } from './chat.ts';
import type { Measure, Scenario } from './scenario.ts';

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

export const decodeScenarios: readonly Scenario[] = [
  decode(1, { mini: 0.9, 'half-b': 1 }),
  decode(4, { mini: 1, 'half-b': 1 }),
  decode(8, { mini: 1, 'half-b': 1 }),
  deep,
];
