import { describe, expect, it } from 'vitest';
import type { GenerationEvent } from '../../../src/contract/events.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import type { Dialect, ParsedCall } from '../../../src/dialects/dialect.ts';
import { infill } from '../../../src/dialects/infill/index.ts';
import { ollamaChat } from '../../../src/dialects/ollama/index.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import { openaiCompletions } from '../../../src/dialects/openai-completions/index.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { answer } from '../endpoint-answers.ts';

const messages = [{ role: 'user', content: 'x' }];
const told: GenerationEvent[] = [
  { type: 'queued', position: 2, etaMs: 800 },
  { type: 'queued', position: 1 },
  { type: 'prompt-progress', totalTokens: 100, cachedTokens: 20, processedTokens: 52, elapsedMs: 12.4 },
];
const said = [
  { queue: { position: 2, eta_ms: 800 } },
  { queue: { position: 1, eta_ms: null } },
  { prompt_progress: { total: 100, cache: 20, processed: 52, time_ms: 12 } },
];

function framesOf<Call extends ParsedCall>(dialect: Dialect<Call>, body: object): unknown[] {
  const encoder = dialect.encoder(dialect.parse(body), answer);
  return told.flatMap((event) => encoder.encode(event, 0)).map((frame) => (frame.type === 'data' ? frame.data : frame));
}

describe('progress', () => {
  it('stands on chat chunks with an empty delta', () => {
    const head = { id: 'chatcmpl-123', object: 'chat.completion.chunk', created: answer.created, model: 'demo' };
    const choices = [{ index: 0, delta: {}, logprobs: null, finish_reason: null }];
    expect(framesOf(openaiChat, { messages })).toEqual(said.map((more) => ({ ...head, choices, ...more })));
  });

  it('stands on completion chunks with an empty text', () => {
    const head = { id: 'cmpl-123', object: 'text_completion', created: answer.created, model: 'demo' };
    const choices = [{ text: '', index: 0, logprobs: null, finish_reason: null }];
    expect(framesOf(openaiCompletions, { prompt: 'x' })).toEqual(said.map((more) => ({ ...head, choices, ...more })));
  });

  it("stands on llama.cpp's own chunks with an empty content", () => {
    const chunk = { index: 0, content: '', tokens: [], stop: false, id_slot: -1, tokens_evaluated: 0 };
    expect(framesOf(infill, { input_prefix: 'x' })).toEqual(said.map((more) => ({ ...chunk, ...more })));
  });

  it('has no place in the other protocols', () => {
    expect([
      framesOf(anthropicMessages, { messages }),
      framesOf(openaiResponses, { input: 'x' }),
      framesOf(ollamaChat, { messages }),
    ]).toEqual([[], [], []]);
  });

  it.each([
    [{ stream: true, return_progress: true }, true],
    [{ stream: true, return_progress: false }, undefined],
    [{ stream: false, return_progress: true }, undefined],
    [{ stream: true }, undefined],
  ])('is asked for by %o: %s', (body, wanted) => {
    const calls = [
      openaiChat.parse({ messages, ...body }),
      openaiCompletions.parse({ prompt: 'x', ...body }),
      infill.parse({ input_prefix: 'x', ...body }),
    ];
    expect(calls.map(({ generations }) => generations[0]?.progress)).toEqual([wanted, wanted, wanted]);
  });
});
