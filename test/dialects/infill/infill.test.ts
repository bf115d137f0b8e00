import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { infill } from '../../../src/dialects/infill/index.ts';
import { answer, data, events, finish, frames, token, whole } from '../endpoint-answers.ts';

const ending = {
  id_slot: -1,
  stop: true,
  model: 'demo',
  tokens_predicted: 2,
  tokens_evaluated: 7,
  tokens_cached: 3,
  generation_settings: {
    n_predict: -1,
    max_tokens: -1,
    seed: 42,
    stop: [],
    ignore_eos: false,
    stream: false,
    n_probs: 0,
  },
  has_new_line: false,
  truncated: false,
  stop_type: 'eos',
  stopping_word: '',
  timings: {
    queue_ms: 1,
    cache_n: 3,
    prompt_n: 4,
    prompt_ms: 20,
    prompt_per_second: 200,
    predicted_n: 2,
    predicted_ms: 4,
    predicted_per_second: 500,
  },
};

describe('/infill', () => {
  it('puts what is typed behind the prefix and names the extra files', () => {
    const call = infill.parse({
      input_prefix: 'def f():\n',
      input_suffix: '\nend',
      input_extra: [{ filename: 'a.py', text: 'x = 1' }, { text: 'y' }],
      prompt: '  ret',
      n_predict: 5,
      stop: ['\n'],
    });
    expect(call.generations[0]).toMatchObject({
      prompt: {
        type: 'infill',
        prefix: 'def f():\n  ret',
        suffix: '\nend',
        extra: [
          { name: 'a.py', text: 'x = 1' },
          { name: 'tmp', text: 'y' },
        ],
      },
      maxTokens: 5,
      stop: ['\n'],
    });
  });

  it('works without any of its texts and lets a plug-in warm up the prompt with n_predict 0', () => {
    expect(infill.parse({ n_predict: 0 }).generations[0]).toMatchObject({
      prompt: { type: 'infill', prefix: '', suffix: '', extra: [] },
      maxTokens: 0,
    });
  });

  it('says what it ignored, and nothing about neutral values', () => {
    const body = {
      n_indent: 4,
      t_max_predict_ms: 500,
      use_beam_search: false,
      length_penalty: 0.5,
      id_slot: null,
    };
    expect(infill.parse(body).warnings).toEqual([
      'n_indent is not supported and was ignored',
      't_max_predict_ms is not supported and was ignored',
      'length_penalty is not supported and was ignored',
    ]);
  });

  it('refuses a prompt that is no text and a length below -1', () => {
    expect(() => infill.parse({ prompt: 3 })).toThrow('`prompt` is 3, but must be a string.');
    expect(() => infill.parse({ n_predict: -2 })).toThrow(/`n_predict` is -2, but must be at least 0/);
  });

  it('answers whole with the content and why it stopped', () => {
    const call = infill.parse({});
    expect(whole(infill, call, [events(['re', 'turn'])])).toEqual({
      index: 0,
      content: 'return',
      tokens: [],
      ...ending,
    });
  });

  it.each([
    [{ reason: 'length' as const }, 'limit', ''],
    [{ stopString: '\n' }, 'word', '\n'],
    [{ stopString: '' }, 'word', ''],
    [{}, 'eos', ''],
  ])('tells the reason %j as llama.cpp does', (end, stop_type, stopping_word) => {
    expect(whole(infill, infill.parse({}), [events([], finish(end))])).toMatchObject({ stop_type, stopping_word });
  });

  it('streams pieces and a last one with the figures, without [DONE]', () => {
    const call = infill.parse({ stream: true, return_tokens: true });
    const all = events([{ text: 'a', logprobs: [token(5, 'a', -1)] }, 'b']);
    expect(data(frames(infill, call, [all]))).toEqual([
      { index: 0, content: 'a', tokens: [5], stop: false, id_slot: -1, tokens_evaluated: 7 },
      { index: 0, content: 'b', tokens: [], stop: false, id_slot: -1, tokens_evaluated: 7 },
      {
        index: 0,
        content: '',
        tokens: [],
        ...ending,
        generation_settings: { ...ending.generation_settings, stream: true },
      },
    ]);
  });

  it('lists probabilities when asked', () => {
    const call = infill.parse({ n_probs: 1 });
    expect(call.generations[0]?.logprobs).toEqual({ top: 1 });
    expect(whole(infill, call, [events([{ text: 'a', logprobs: [token(5, 'a', -1, [['b', -0.5]])] }])])).toMatchObject({
      completion_probabilities: [
        {
          id: 5,
          token: 'a',
          bytes: [97],
          logprob: -1,
          top_logprobs: [{ id: 900, token: 'b', bytes: [98], logprob: -0.5 }],
        },
      ],
    });
  });

  it('gives only the fields that were asked for, paths under their whole name', () => {
    const call = infill.parse({ response_fields: ['content', 'timings/prompt_n', 'timings/none', 'none'] });
    expect(whole(infill, call, [events(['x'])])).toEqual({ content: 'x', 'timings/prompt_n': 4 });
  });

  it('ends a failed stream with the error', () => {
    const { fail } = infill.encoder(infill.parse({}), answer);
    expect(data(fail(new ServeError('internal', 'It broke.')))).toEqual([
      { error: { message: 'It broke.', type: 'server_error', param: null, code: null } },
    ]);
  });
});
