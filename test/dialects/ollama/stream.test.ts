import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { ollamaChat, ollamaGenerate } from '../../../src/dialects/ollama/index.ts';
import { answer, data, events, finish, frames, token, whole } from '../endpoint-answers.ts';

const chat = (more: object = {}) => ollamaChat.parse({ messages: [{ role: 'user', content: 'Hi' }], ...more });
const head = { model: 'demo', created_at: '2023-11-14T22:13:20.000Z' };
const message = (more: object) => ({ ...head, message: { role: 'assistant', ...more } });
const figures = {
  done: true,
  done_reason: 'stop',
  total_duration: 25e6,
  load_duration: 0,
  prompt_eval_count: 7,
  prompt_eval_duration: 20e6,
  eval_count: 2,
  eval_duration: 4e6,
  seed: 42,
};

describe('answer of /api/chat', () => {
  it('streams thinking, text and calls as lines, the figures last', () => {
    const all = events([
      { thinking: 'hm' },
      'Hel',
      '',
      'lo',
      { call: 'add', arguments: ['{"a"', ':1}'] },
      { call: 'now', arguments: [] },
    ]);
    expect(data(frames(ollamaChat, chat(), [all]))).toEqual([
      { ...message({ content: '', thinking: 'hm' }), done: false },
      { ...message({ content: 'Hel' }), done: false },
      { ...message({ content: 'lo' }), done: false },
      {
        ...message({
          content: '',
          tool_calls: [{ id: 'call_2', function: { index: 0, name: 'add', arguments: { a: 1 } } }],
        }),
        done: false,
      },
      {
        ...message({ content: '', tool_calls: [{ id: 'call_3', function: { index: 1, name: 'now', arguments: {} } }] }),
        done: false,
      },
      { ...message({ content: '' }), ...figures },
    ]);
  });

  it('says the same whole', () => {
    const all = events(
      [{ thinking: 'hm' }, 'Hello', { call: 'add', arguments: ['{"a":1}'] }],
      finish({ reason: 'tool-calls' }),
    );
    expect(whole(ollamaChat, chat({ stream: false }), [all])).toEqual({
      ...message({
        content: 'Hello',
        thinking: 'hm',
        tool_calls: [{ id: 'call_2', function: { index: 0, name: 'add', arguments: { a: 1 } } }],
      }),
      ...figures,
    });
  });

  it('loses nothing of arguments that are no object', () => {
    const calls = (text: string) => events([{ call: 'f', arguments: [text] }]);
    const shown = ['[1]', '{"a":', ' '].map((text) => whole(ollamaChat, chat(), [calls(text)]));
    expect(shown).toMatchObject([
      { message: { tool_calls: [{ function: { arguments: { input: [1] } } }] } },
      { message: { tool_calls: [{ function: { arguments: { input: '{"a":' } } }] } },
      { message: { tool_calls: [{ function: { arguments: {} } }] } },
    ]);
  });

  it('tells that the limit ended it', () => {
    expect(whole(ollamaChat, chat(), [events(['a'], finish({ reason: 'length' }))])).toMatchObject({
      done_reason: 'length',
    });
  });

  it('gives log probabilities when asked', () => {
    const call = chat({ logprobs: true, top_logprobs: 1 });
    const all = events([{ text: 'a', logprobs: [token(1, 'a', -1, [['b', -0.5]])] }]);
    const logprobs = [
      { token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -0.5, bytes: [98] }] },
    ];
    expect(whole(ollamaChat, call, [all])).toMatchObject({ logprobs });
    expect(data(frames(ollamaChat, call, [all]))[0]).toEqual({ ...message({ content: 'a' }), logprobs, done: false });
  });

  it('answers a call without messages at once: the model is there', () => {
    const call = ollamaChat.parse({ messages: [] });
    const loaded = { ...message({ content: '' }), done: true, done_reason: 'load' };
    expect(whole(ollamaChat, call, [])).toEqual(loaded);
    expect(data(frames(ollamaChat, call, []))).toEqual([loaded]);
  });

  it('shapes errors and failed streams alike', () => {
    const thrown = new ServeError('internal', 'It broke.');
    const encoder = ollamaChat.encoder(chat(), answer);
    expect(ollamaChat.error(thrown)).toEqual({ body: { error: 'It broke.' } });
    expect(data(encoder.fail(thrown))).toEqual([{ error: 'It broke.' }]);
    expect(encoder.heartbeat()).toEqual({ type: 'data', data: { ...message({ content: '' }), done: false } });
  });
});

describe('answer of /api/generate', () => {
  it('says it in `response`', () => {
    const call = ollamaGenerate.parse({ prompt: 'Hi' });
    const all = events([{ thinking: 'hm' }, 'Hi']);
    expect(whole(ollamaGenerate, call, [all])).toEqual({ ...head, response: 'Hi', thinking: 'hm', ...figures });
    expect(data(frames(ollamaGenerate, call, [all]))).toEqual([
      { ...head, response: '', thinking: 'hm', done: false },
      { ...head, response: 'Hi', done: false },
      { ...head, response: '', ...figures },
    ]);
  });
});
