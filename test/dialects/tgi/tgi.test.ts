import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/contract/errors.ts';
import { ServeError } from '../../../src/contract/errors.ts';
import { tgiGenerate, tgiGenerateStream } from '../../../src/dialects/tgi/index.ts';
import { answer, data, events, finish, frames, token, whole } from '../endpoint-answers.ts';

const details = {
  finish_reason: 'eos_token',
  generated_tokens: 2,
  prompt_tokens: 7,
  prompt_cache_len: 3,
  seed: 42,
};

describe('/generate in the form of TGI', () => {
  it('takes the parameters', () => {
    const call = tgiGenerate.parse({
      inputs: 'Hi',
      parameters: {
        max_new_tokens: 9,
        temperature: 1.5,
        top_p: 0.5,
        top_k: 4,
        repetition_penalty: 1.1,
        seed: 3,
        stop_sequences: ['a'],
        stop: ['b', ''],
      },
    });
    expect(call.generations).toEqual([
      {
        prompt: { type: 'text', text: 'Hi' },
        sampling: { temperature: 1.5, topP: 0.5, topK: 4, repeatPenalty: 1.1, seed: 3 },
        maxTokens: 9,
        stop: ['b', 'a'],
        outputShape: { type: 'text' },
        ignoreEos: false,
        cachePrompt: true,
        priority: 3,
        keys: {},
      },
    ]);
  });

  it.each([
    ['nothing is said', {}, 0],
    ['sampling is switched off', { do_sample: false, temperature: 0.5 }, 0],
    ['sampling is switched on', { do_sample: true }, undefined],
    ['a number of it is given', { temperature: 0.5 }, 0.5],
    ['only top_p is given', { top_p: 0.5 }, undefined],
  ])('samples or not when %s', (_, parameters, temperature) => {
    expect(tgiGenerate.parse({ inputs: 'a', parameters }).generations[0]?.sampling.temperature).toBe(temperature);
  });

  it('gives the rest of the context for max_new_tokens -1, absent or no parameters', () => {
    for (const body of [{ inputs: 'a', parameters: { max_new_tokens: -1 } }, { inputs: 'a' }])
      expect(tgiGenerate.parse(body).generations[0]?.maxTokens).toBe(-1);
  });

  it.each([
    [{ inputs: 'a', parameters: { max_new_tokens: 0 } }, 'parameters.max_new_tokens'],
    [{ inputs: ['a'] }, 'inputs'],
    [{ inputs: 'a', parameters: { best_of: 2 } }, 'parameters.best_of'],
    [{ inputs: 'a', parameters: { truncate: 5 } }, 'parameters.truncate'],
    [{ inputs: 'a', parameters: { decoder_input_details: true } }, 'parameters.decoder_input_details'],
    [{ inputs: 'a', parameters: { grammar: { type: 'regex', value: 'a+' } } }, 'parameters.grammar'],
  ])('refuses %j', (body, param) => {
    expect(() => tgiGenerate.parse(body)).toThrow(
      expect.objectContaining({ details: { param }, message: expect.stringContaining(`\`${param}\``) }),
    );
  });

  it('takes a JSON schema as grammar', () => {
    const parameters = { grammar: { type: 'json', value: { type: 'integer' } } };
    expect(tgiGenerate.parse({ inputs: 'a', parameters }).generations[0]?.outputShape).toEqual({
      type: 'json-schema',
      schema: { type: 'integer' },
    });
  });

  it('answers with the text alone, the prompt before it on request', () => {
    const all = events(['Hel', 'lo']);
    expect(whole(tgiGenerate, tgiGenerate.parse({ inputs: 'a' }), [all])).toEqual({ generated_text: 'Hello' });
    const full = tgiGenerate.parse({ inputs: 'a ', parameters: { return_full_text: true } });
    expect(whole(tgiGenerate, full, [all])).toEqual({ generated_text: 'a Hello' });
  });

  it('answers with details when asked', () => {
    const call = tgiGenerate.parse({ inputs: 'a', parameters: { details: true } });
    expect(call.generations[0]?.logprobs).toEqual({ top: 0 });
    expect(whole(tgiGenerate, call, [events([{ text: 'x', logprobs: [token(5, 'x', -1)] }])])).toEqual({
      generated_text: 'x',
      details: { ...details, prefill: [], tokens: [{ id: 5, text: 'x', logprob: -1, special: false }] },
    });
  });

  it.each([
    [{ reason: 'length' as const }, 'length'],
    [{ stopString: 'x' }, 'stop_sequence'],
    [{}, 'eos_token'],
  ])('tells the end %j in its own words', (end, finish_reason) => {
    const call = tgiGenerate.parse({ inputs: 'a', parameters: { details: true } });
    expect(whole(tgiGenerate, call, [events([], finish(end))])).toMatchObject({ details: { finish_reason } });
  });

  it('streams a frame per token and fills the last one', () => {
    const call = tgiGenerateStream.parse({ inputs: 'a' });
    expect(call.stream).toBe(true);
    const all = events([
      { text: 'Hi', logprobs: [token(5, 'H', -1), token(6, 'i', -2)] },
      { text: '!', logprobs: [] },
    ]);
    const open = { generated_text: null, details: null };
    expect(data(frames(tgiGenerateStream, call, [all]))).toEqual([
      { index: 1, token: { id: 5, text: 'H', logprob: -1, special: false }, ...open },
      { index: 2, token: { id: 6, text: 'i', logprob: -2, special: false }, ...open },
      { index: 3, token: { id: 0, text: '!', logprob: 0, special: false }, ...open },
      { index: 4, token: { id: 0, text: '', logprob: 0, special: true }, generated_text: 'Hi!', details },
    ]);
  });

  it('gives a character of several tokens with the last of them', () => {
    const call = tgiGenerateStream.parse({ inputs: 'a' });
    const part = (id: number) => ({ ...token(id, '\uFFFD', -1) });
    const shown = data(frames(tgiGenerateStream, call, [events([{ text: 'ä', logprobs: [part(1), part(2)] }])]));
    expect(shown.slice(0, 2)).toMatchObject([{ token: { id: 1, text: '' } }, { token: { id: 2, text: 'ä' } }]);
  });

  it.each<[ErrorCode, string]>([
    ['invalid_request', 'validation'],
    ['overloaded', 'overloaded'],
    ['engine_failure', 'generation'],
  ])('names %s by an error_type that clients know', (code, error_type) => {
    const thrown = new ServeError(code, 'No.');
    expect(tgiGenerate.error(thrown)).toEqual({ body: { error: 'No.', error_type } });
    expect(data(tgiGenerateStream.encoder(tgiGenerateStream.parse({ inputs: 'a' }), answer).fail(thrown))).toEqual([
      { error: 'No.', error_type },
    ]);
  });
});
