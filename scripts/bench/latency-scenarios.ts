import { setTimeout as pause } from 'node:timers/promises';
import { firstTokenMs } from '../../src/bench/rates.ts';
import { someWords } from '../../src/bench/words.ts';
import type { ModelName } from './bench-model.ts';
import type { ChatMessage, RunningChat } from './chat.ts';
import { chat, startChat } from './chat.ts';
import type { Scenario } from './scenario.ts';
import { coldStart } from './server.ts';

const user = (words: number, seed: number): ChatMessage => ({ role: 'user', content: someWords(words, seed) });
const short = (seed: number) => ({ messages: [user(10, seed)], maxTokens: 8 });

const alone: Scenario = {
  name: 'first-token',
  measures: [{ title: 'first token of a 40-word prompt, nobody else there', unit: 'ms', better: 'lower' }],
  async run({ server, seed }) {
    return [firstTokenMs(await chat(server.port, { messages: [user(40, seed)], maxTokens: 8 }))];
  },
};

const behindPrefill: Scenario = {
  name: 'behind-prefill',
  measures: [
    {
      title: 'short request behind a 1,000-word prompt: first token',
      unit: 'ms',
      better: 'lower',
      goal: { 'half-b': 0.35 },
    },
    { title: 'worst gap in 2 running streams meanwhile', unit: 'ms', better: 'lower', goal: { 'half-b': 0.25 } },
  ],
  async run({ server, seed }) {
    const streams = [1, 2].map((stream) =>
      startChat(server.port, { messages: [user(10, seed + stream)], maxTokens: 3000 }),
    );
    try {
      await Promise.all(streams.map((stream) => stream.pieces(8)));
      const long = startChat(server.port, { messages: [user(1000, seed + 3)], maxTokens: 8 });
      // Time enough for any server to have taken the long prompt in hand.
      await pause(100);
      const after = await chat(server.port, short(seed + 4));
      const longResult = await long.done;
      const end = longResult.pieceTimes[0] ?? Number.NaN;
      await Promise.all(streams.map((stream) => stream.pieces(stream.pieceTimes.length + 1)));
      return [firstTokenMs(after), Math.max(...streams.map((stream) => worstGap(stream, long.sentAt, end)))];
    } finally {
      for (const stream of streams) stream.abort();
    }
  },
};

/** Milliseconds between two pieces of text that came one after the other, anywhere between two moments. */
function worstGap({ pieceTimes }: RunningChat, from: number, to: number): number {
  const gaps = pieceTimes.map((time, index) => {
    const previous = pieceTimes[index - 1] ?? time;
    return previous <= to && time >= from ? time - previous : 0;
  });
  return Math.max(...gaps);
}

const sharedPrefix: Scenario = {
  name: 'shared-prefix',
  measures: [
    {
      title: '8 users at once with one 700-word system prompt: all done',
      unit: 'ms',
      better: 'lower',
      goal: { 'half-b': 0.4 },
    },
  ],
  async run({ server, seed }) {
    const system: ChatMessage = { role: 'system', content: someWords(700, seed) };
    const startedAt = performance.now();
    const users = Array.from({ length: 8 }, (_, index) =>
      chat(server.port, { messages: [system, user(10, seed + 1 + index)], maxTokens: 16 }),
    );
    await Promise.all(users);
    return [performance.now() - startedAt];
  },
};

const cancelAfterMs: Record<ModelName, number> = { mini: 10, 'half-b': 400 };

const cancelPrefill: Scenario = {
  name: 'cancel-prefill',
  measures: [
    {
      title: '2,000-word prompt cancelled while it is read: next request’s first token',
      unit: 'ms',
      better: 'lower',
      goal: { 'half-b': 0.3 },
    },
  ],
  async run({ server, model, seed }) {
    const long = startChat(server.port, { messages: [user(2000, seed)], maxTokens: 8 });
    await pause(cancelAfterMs[model]);
    if (long.pieceTimes.length > 0) throw new Error('the prompt was read before it could be cancelled');
    long.abort();
    return [firstTokenMs(await chat(server.port, short(seed + 1)))];
  },
};

/**
 * " the" in Qwen2's vocabulary. All answers of the conversation consist of it, so that every server holds the same one:
 * the texts of a random model are other ones in every build, and longer texts have more tokens to cache.
 */
const the = 279;

const conversation: Scenario = {
  name: 'five-turns',
  measures: [
    { title: 'five turns: first token of turns 2 to 5', unit: 'ms', better: 'lower', goal: { 'half-b': 1 } },
    { title: 'five turns: prompt tokens from the cache', unit: 'tokens', better: 'higher', goal: { 'half-b': 1 } },
  ],
  async run({ server, seed }) {
    const messages: ChatMessage[] = [{ role: 'system', content: someWords(200, seed) }];
    const firstTokens: number[] = [];
    let cached = 0;
    for (let turn = 1; turn <= 5; turn += 1) {
      messages.push(user(40, seed + turn));
      const answer = await chat(server.port, { messages, maxTokens: 24, onlyToken: the });
      messages.push({ role: 'assistant', content: answer.text });
      if (turn === 1) continue;
      firstTokens.push(firstTokenMs(answer));
      cached += answer.cachedTokens;
    }
    return [firstTokens.reduce((sum, time) => sum + time, 0) / firstTokens.length, cached];
  },
};

const cold: Scenario = {
  name: 'cold-start',
  measures: [
    { title: 'start of the program to the first token', unit: 'ms', better: 'lower', goal: { 'half-b': 1.5 } },
  ],
  async run({ server, modelPath, seed }) {
    // The first start after a while finds memory that a hypervisor has taken back, which costs it up to two seconds; the
    // one right behind it finds what that has left. So each server starts twice, and the second counts.
    await coldStart(server.spec, modelPath, short(seed));
    return [await coldStart(server.spec, modelPath, short(seed))];
  },
};

const memory: Scenario = {
  name: 'memory',
  measures: [{ title: 'peak memory over all of this', unit: 'MiB', better: 'lower' }],
  run: async ({ server }) => [server.peakMemory()],
};

export const latencyScenarios: readonly Scenario[] = [
  alone,
  behindPrefill,
  conversation,
  sharedPrefix,
  cancelPrefill,
  cold,
  memory,
];
