import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import type { GenerationEvent } from '../../../src/contract/events.ts';
import { openaiCompletions } from '../../../src/dialects/openai-completions/index.ts';
import { answer, data, events, finish, frames, token, whole } from '../endpoint-answers.ts';

const chunk = (choices: unknown[], more: object = {}) => ({
  id: 'cmpl-123',
  object: 'text_completion',
  created: 1_700_000_000,
  model: 'demo',
  choices,
  ...more,
});
const choice = (text: string, index = 0, finish_reason: string | null = null, logprobs: object | null = null) => ({
  text,
  index,
  logprobs,
  finish_reason,
  ...(finish_reason !== null && { seed: 42 }),
});

function withPrompt(prompt: GenerationEvent, all: readonly GenerationEvent[]): GenerationEvent[] {
  const [start, ...rest] = all;
  return start ? [start, prompt, ...rest] : [];
}

describe('answer of /v1/completions', () => {
  const usage = {
    prompt_tokens: 7,
    completion_tokens: 2,
    total_tokens: 9,
    prompt_tokens_details: { cached_tokens: 3 },
  };

  it('streams chunks of the one kind, then usage when asked, then [DONE]', () => {
    const call = openaiCompletions.parse({ prompt: 'a', stream: true, stream_options: { include_usage: true } });
    expect(data(frames(openaiCompletions, call, [events(['Hel', '', 'lo'])]))).toEqual([
      chunk([choice('Hel')], { usage: null }),
      chunk([choice('lo')], { usage: null }),
      chunk([choice('', 0, 'stop')], { usage: null }),
      chunk([], { usage }),
      '[DONE]',
    ]);
  });

  it('says at its top level that it was cancelled, streamed and whole', () => {
    const call = openaiCompletions.parse({ prompt: 'a', stream: true });
    const cancelled = events(['Hel'], finish({ cancelled: true }));
    expect(data(frames(openaiCompletions, call, [cancelled]))).toEqual([
      chunk([choice('Hel')]),
      chunk([choice('', 0, 'stop')], { cancelled: true }),
      '[DONE]',
    ]);
    expect(whole(openaiCompletions, call, [cancelled])).toMatchObject({
      choices: [choice('Hel', 0, 'stop')],
      cancelled: true,
    });
  });

  it('sends no usage unasked', () => {
    const call = openaiCompletions.parse({ prompt: 'a', stream: true });
    expect(data(frames(openaiCompletions, call, [events([])]))).toEqual([chunk([choice('', 0, 'stop')]), '[DONE]']);
  });

  it('answers whole with the joined text, the reason and usage', () => {
    const call = openaiCompletions.parse({ prompt: 'a' });
    const result = whole(openaiCompletions, call, [events(['Hel', 'lo'], finish({ reason: 'length' }))]);
    expect(result).toEqual(chunk([choice('Hello', 0, 'length')], { usage }));
  });

  it('counts each prompt once and every generated token', () => {
    const call = openaiCompletions.parse({ prompt: ['a', 'b'], n: 2 });
    const result = whole(
      openaiCompletions,
      call,
      ['1', '2', '3', '4'].map((text) => events([text])),
    );
    expect(result).toEqual(
      chunk([choice('1', 0, 'stop'), choice('2', 1, 'stop'), choice('3', 2, 'stop'), choice('4', 3, 'stop')], {
        usage: {
          prompt_tokens: 14,
          completion_tokens: 8,
          total_tokens: 22,
          prompt_tokens_details: { cached_tokens: 6 },
        },
      }),
    );
  });

  it('echoes the prompt before each choice', () => {
    const call = openaiCompletions.parse({ prompt: 'Say', echo: true });
    expect(whole(openaiCompletions, call, [events([' hi'])])).toMatchObject({ choices: [choice('Say hi', 0, 'stop')] });
    expect(data(frames(openaiCompletions, call, [events([' hi'])])).slice(0, 2)).toEqual([
      chunk([choice('Say')]),
      chunk([choice(' hi')]),
    ]);
  });

  it('echoes a prompt of tokens as their text, also where a character takes two of them', () => {
    const call = openaiCompletions.parse({ prompt: [1, 2, 3], echo: true, max_tokens: 0 });
    const all = withPrompt(
      {
        type: 'prompt-logprobs',
        tokens: [
          { token: 1, text: 'a', bytes: [97] },
          { token: 2, text: '\uFFFD', bytes: [0xc3], logprob: -1, top: [] },
          { token: 3, text: '\uFFFD', bytes: [0xa4], logprob: -2, top: [] },
        ],
      },
      events([]),
    );
    expect(whole(openaiCompletions, call, [all])).toMatchObject({ choices: [choice('aä', 0, 'stop')] });
  });

  it('lists the log probabilities of prompt and answer side by side, the first prompt token without one', () => {
    const call = openaiCompletions.parse({ prompt: 'ä b', echo: true, logprobs: 1 });
    const all = withPrompt(
      {
        type: 'prompt-logprobs',
        tokens: [
          { token: 1, text: '<s>', bytes: [...new TextEncoder().encode('<s>')] },
          token(5, 'ä', -0.5, [['A', -0.25]]),
          token(6, ' b', -0.75, [[' b', -0.75]]),
        ],
      },
      events([{ text: ' c', logprobs: [token(7, ' c', -1, [[' c', -1]])] }]),
    );
    const logprobs = {
      tokens: ['<s>', 'ä', ' b', ' c'],
      token_logprobs: [null, -0.5, -0.75, -1],
      top_logprobs: [null, { A: -0.25, ä: -0.5 }, { ' b': -0.75 }, { ' c': -1 }],
      text_offset: [0, 0, 1, 3],
    };
    expect(whole(openaiCompletions, call, [all])).toMatchObject({ choices: [choice('ä b c', 0, 'stop', logprobs)] });
  });

  it('keeps parts of characters apart and gives them the offset of their character', () => {
    const call = openaiCompletions.parse({ prompt: 'a', logprobs: 0, stream: true });
    const euro = [0xe2, 0x82, 0xac].map((byte, index) => ({
      token: index,
      text: '\uFFFD',
      bytes: [byte],
      logprob: -1,
      top: [],
    }));
    const [first] = data(
      frames(openaiCompletions, call, [
        events([{ text: 'x€y', logprobs: [token(9, 'x', -1), ...euro, token(8, 'y', -1)] }]),
      ]),
    );
    expect(first).toEqual(
      chunk([
        choice('x€y', 0, null, {
          tokens: ['x', 'bytes:\\xe2', 'bytes:\\x82', 'bytes:\\xac', 'y'],
          token_logprobs: [-1, -1, -1, -1, -1],
          top_logprobs: null,
          text_offset: [0, 1, 1, 1, 2],
        }),
      ]),
    );
  });

  it('keeps the best candidates of each prompt, the likeliest first, and counts all of them', () => {
    const call = openaiCompletions.parse({ prompt: ['a', 'b'], best_of: 3, n: 2 });
    const scored = (text: string, logprob: number) => events([{ text, logprobs: [token(1, text, logprob)] }]);
    const result = whole(openaiCompletions, call, [
      scored('bad', -3),
      scored('good', -1),
      scored('fair', -2),
      events([]),
      scored('only', -9),
      scored('best', 0),
    ]);
    expect(result).toMatchObject({
      choices: [
        choice('good', 0, 'stop'),
        choice('fair', 1, 'stop'),
        choice('best', 2, 'stop'),
        choice('only', 3, 'stop'),
      ],
      usage: { prompt_tokens: 14, completion_tokens: 12 },
    });
  });

  it.each([
    ['text', { prompt: 'Say', n: 2 }],
    ['an echo', { prompt: 'Say', n: 2, echo: true }],
    ['log probabilities', { prompt: 'Say', n: 2, logprobs: 2 }],
  ])('gives %s the same in a stream as whole', (_, body) => {
    const call = openaiCompletions.parse(body);
    const choices = ['x', 'z'].map((text) =>
      events([{ text, logprobs: call.logprobs === undefined ? [] : [token(1, text, -1)] }, '!']),
    );
    const joined = [0, 1].map((index) => {
      const mine = data(frames(openaiCompletions, call, choices)).flatMap((frame) => choicesOf(frame, index));
      const text = mine.map((part) => part.text).join('');
      return { text, finish_reason: mine.at(-1)?.finish_reason };
    });
    expect(whole(openaiCompletions, call, choices)).toMatchObject({ choices: joined });
  });

  it('ends a failed stream with the error and [DONE]', () => {
    const encoder = openaiCompletions.encoder(openaiCompletions.parse({ prompt: 'a' }), answer);
    expect(data(encoder.fail(new ServeError('engine_failure', 'It broke.')))).toEqual([
      { error: { message: 'It broke.', type: 'server_error', param: null, code: 'engine_failure' } },
      '[DONE]',
    ]);
  });
});

function choicesOf(frame: unknown, index: number): { text: string; finish_reason: string | null }[] {
  if (typeof frame !== 'object' || frame === null || !('choices' in frame) || !Array.isArray(frame.choices)) return [];
  return frame.choices.filter((part) => part.index === index);
}
