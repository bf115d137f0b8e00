import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import type { FinishEvent, GenerationEvent, TokenLogprob } from '../../../src/contract/events.ts';
import { Collector } from '../../../src/contract/events.ts';
import type { AnswerContext } from '../../../src/dialects/dialect.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';

const context: AnswerContext = { id: 'abc', created: 5, model: 'demo', newId: (prefix) => `${prefix}1` };
const head = { id: 'chatcmpl-abc', object: 'chat.completion.chunk', created: 5, model: 'demo' };
const start: GenerationEvent = { type: 'start', inputTokens: 10, cachedTokens: 4 };
const finish: FinishEvent = {
  type: 'finish',
  reason: 'stop',
  usage: { inputTokens: 10, cachedTokens: 4, outputTokens: 5, reasoningTokens: 2 },
  timings: { queueMs: 1, promptMs: 2, predictedMs: 10 },
  seed: 1,
};
const timings = {
  queue_ms: 1,
  cache_n: 4,
  prompt_n: 6,
  prompt_ms: 2,
  prompt_per_second: 3000,
  predicted_n: 5,
  predicted_ms: 10,
  predicted_per_second: 500,
};
const usage = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

const rich: GenerationEvent[] = [
  start,
  { type: 'block-start', index: 0, kind: 'reasoning' },
  { type: 'block-delta', index: 0, delta: 'hm' },
  { type: 'block-end', index: 0 },
  { type: 'block-start', index: 1, kind: 'text' },
  { type: 'block-delta', index: 1, delta: 'Let me' },
  { type: 'block-delta', index: 1, delta: '' },
  { type: 'block-end', index: 1 },
  { type: 'block-start', index: 2, kind: 'tool-call', id: 'c1', name: 'weather' },
  { type: 'block-delta', index: 2, delta: '{"city":' },
  { type: 'block-delta', index: 2, delta: '"Rome"}' },
  { type: 'block-end', index: 2 },
  { type: 'block-start', index: 3, kind: 'tool-call', id: 'c2', name: 'time' },
  { type: 'block-end', index: 3 },
  { ...finish, reason: 'tool-calls' },
];

function call(body: object = {}) {
  return openaiChat.parse({ messages: [{ role: 'user', content: 'x' }], ...body });
}

function stream(events: readonly GenerationEvent[], body: object = {}): unknown[] {
  const encoder = openaiChat.encoder(call(body), context);
  const frames = [...events.flatMap((event) => encoder.encode(event, 0)), ...encoder.end()];
  return frames.map((frame) => (frame.type === 'data' ? frame.data : frame));
}

function whole(events: readonly GenerationEvent[], body: object = {}) {
  const collector = new Collector();
  for (const event of events) collector.add(event);
  return openaiChat.whole(call(body), context, [collector.result()]);
}

const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  ...head,
  choices: [{ index: 0, delta, logprobs: null, finish_reason, ...(finish_reason !== null && { seed: 1 }) }],
  ...more,
});

describe('a chat stream', () => {
  it('tells reasoning under both names, text, and calls with id and name before their arguments', () => {
    expect(stream(rich)).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning: 'hm', reasoning_content: 'hm' }),
      chunk({ content: 'Let me' }),
      chunk({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '"Rome"}' } }] }),
      chunk({ tool_calls: [{ index: 1, id: 'c2', type: 'function', function: { name: 'time', arguments: '' } }] }),
      chunk({}, 'tool_calls', { timings }),
      { type: 'raw', text: '[DONE]' },
    ]);
  });

  it('ends with usage in a chunk without choices when it was asked for, and null before', () => {
    expect(stream([start, finish], { stream_options: { include_usage: true } })).toEqual([
      chunk({ role: 'assistant', content: '' }, null, { usage: null }),
      chunk({}, 'stop', { usage: null, timings }),
      { ...head, choices: [], usage, timings },
      { type: 'raw', text: '[DONE]' },
    ]);
  });

  it('says at the top of its last chunk that it was cancelled', () => {
    expect(stream([start, { ...finish, cancelled: true }])[1]).toEqual(chunk({}, 'stop', { timings, cancelled: true }));
  });

  it('fails with an error frame and its terminator', () => {
    const encoder = openaiChat.encoder(call(), context);
    expect(encoder.fail(new ServeError('internal', 'broken'))).toEqual([
      { type: 'data', data: { error: { message: 'broken', type: 'server_error', param: null, code: null } } },
      { type: 'raw', text: '[DONE]' },
    ]);
  });

  it('carries log probabilities beside the text they belong to', () => {
    const the: TokenLogprob = {
      token: 7,
      text: 'the',
      bytes: [116, 104, 101],
      logprob: -0.5,
      top: [{ token: 8, text: 'a', bytes: [97], logprob: Number.NEGATIVE_INFINITY }],
    };
    const events: GenerationEvent[] = [
      start,
      { type: 'block-start', index: 0, kind: 'reasoning' },
      { type: 'block-delta', index: 0, delta: 'r', logprobs: [the] },
      { type: 'block-end', index: 0 },
      { type: 'block-start', index: 1, kind: 'text' },
      { type: 'block-delta', index: 1, delta: 'the', logprobs: [the] },
      { type: 'block-end', index: 1 },
      finish,
    ];
    const logprobs = {
      content: [
        {
          token: 'the',
          logprob: -0.5,
          bytes: [116, 104, 101],
          top_logprobs: [{ token: 'a', logprob: -9999, bytes: [97] }],
        },
      ],
      refusal: null,
    };
    const body = { logprobs: true, top_logprobs: 1 };
    expect(stream(events, body)[1]).toEqual(chunk({ reasoning: 'r', reasoning_content: 'r' }));
    expect(stream(events, body)[2]).toEqual({
      ...head,
      choices: [{ index: 0, delta: { content: 'the' }, logprobs, finish_reason: null }],
    });
    expect(whole(events, body).choices).toMatchObject([{ logprobs }]);
  });
});

describe('a whole chat answer', () => {
  it('has the same parts as its stream', () => {
    expect(whole(rich)).toEqual({
      id: 'chatcmpl-abc',
      object: 'chat.completion',
      created: 5,
      model: 'demo',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Let me',
            refusal: null,
            reasoning: 'hm',
            reasoning_content: 'hm',
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
              { id: 'c2', type: 'function', function: { name: 'time', arguments: '' } },
            ],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
          seed: 1,
        },
      ],
      usage,
      timings,
    });
  });

  it.each([
    ['calls only', rich.filter((event) => !('index' in event) || event.index >= 2).map(shift), null],
    ['nothing', [start, finish], ''],
  ])('with %s has content %j', (_, events, content) => {
    expect(whole(events).choices).toMatchObject([{ message: { content } }]);
  });

  it('counts the prompt once and adds up its choices', () => {
    const results = [4, 9].map((cachedTokens) => {
      const collector = new Collector();
      collector.add({ ...start, cachedTokens });
      collector.add({ ...finish, usage: { ...finish.usage, cachedTokens } });
      return collector.result();
    });
    expect(openaiChat.whole(call({ n: 2 }), context, results)).toMatchObject({
      usage: { ...usage, completion_tokens: 10, total_tokens: 20, completion_tokens_details: { reasoning_tokens: 4 } },
      timings: { prompt_n: 6, predicted_n: 10 },
    });
  });

  it('says that it was cancelled', () => {
    expect(whole([start, { ...finish, cancelled: true }])).toMatchObject({ cancelled: true });
    expect(whole([start, finish])).not.toHaveProperty('cancelled');
  });
});

function shift(event: GenerationEvent): GenerationEvent {
  return 'index' in event ? { ...event, index: event.index - 2 } : event;
}
