import { describe, expect, it } from 'vitest';
import { llamaCompletion } from '../../../src/dialects/llama-cpp/completion.ts';
import { data, events, finish, frames, whole } from '../endpoint-answers.ts';

const promptsOf = (prompt: unknown) =>
  llamaCompletion.parse({ prompt }).generations.map((generation) => generation.prompt);

describe('/completion', () => {
  it.each([
    ['a text', 'Hi', [{ type: 'text', text: 'Hi' }]],
    ['tokens', [1, 2], [{ type: 'tokens', tokens: [1, 2] }]],
    ['tokens and texts', [1, 'a', 2], [{ type: 'mixed', parts: [1, 'a', 2] }]],
    ['an object', { prompt_string: 'Hi', multimodal_data: [] }, [{ type: 'text', text: 'Hi' }]],
    [
      'several texts',
      ['a', 'b'],
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    ],
    [
      'several of every kind',
      [[1, 'x'], [2], 'b', { prompt_string: 'c' }],
      [
        { type: 'mixed', parts: [1, 'x'] },
        { type: 'tokens', tokens: [2] },
        { type: 'text', text: 'b' },
        { type: 'text', text: 'c' },
      ],
    ],
  ])('takes %s as its prompt', (_, prompt, expected) => {
    expect(promptsOf(prompt)).toEqual(expected);
  });

  it.each([
    [undefined, 'prompt', '`prompt` is missing, but must be a text or tokens.'],
    [7, 'prompt', '`prompt` is 7, but must be a text or tokens.'],
    [[], 'prompt', '`prompt` has 0 entries, but must have 1 to 2048.'],
    [[1, -1], 'prompt', '`prompt` must hold tokens and texts only, not -1.'],
    [[1, 1.5], 'prompt', '`prompt` must hold tokens and texts only, not 1.5.'],
    [['a', []], 'prompt[1]', '`prompt[1]` must hold tokens and texts only, not nothing.'],
    [['a', true], 'prompt[1]', '`prompt[1]` is true, but must be a text or tokens.'],
    [{}, 'prompt.prompt_string', '`prompt.prompt_string` is missing: it must be a string.'],
    [
      { prompt_string: 'a', multimodal_data: ['AAAA'] },
      'prompt.multimodal_data',
      '`prompt.multimodal_data` has 1 images, but the prompt has 0 times <__media__>.',
    ],
    [
      { prompt_string: '<__media__>', multimodal_data: ['?'] },
      'prompt.multimodal_data[0]',
      '`prompt.multimodal_data[0]` is no base64.',
    ],
    [
      [1, ...Array(1001).fill('a')],
      'prompt',
      '`prompt` has 1001 texts between its tokens, but at most 1000 are allowed.',
    ],
  ])('refuses the prompt %j', (prompt, param, message) => {
    expect(() => promptsOf(prompt)).toThrow(expect.objectContaining({ message, details: { param } }));
  });

  it('puts images where their markers stand', () => {
    const image = (param: string) => ({ type: 'image', source: { type: 'file', base64: 'AAAA' }, param });
    expect(promptsOf({ prompt_string: 'a<__media__>b<__media__>', multimodal_data: ['AAAA', 'AAAA'] })).toEqual([
      {
        type: 'mixed',
        parts: ['a', image('prompt.multimodal_data[0]'), 'b', image('prompt.multimodal_data[1]')],
      },
    ]);
    const older = llamaCompletion.parse({ prompt: 'see [img-7]: ', image_data: [{ data: 'AAAA', id: 7 }] });
    expect(older.generations.map(({ prompt }) => prompt)).toEqual([
      { type: 'mixed', parts: ['see ', image('image_data[0].data'), ': '] },
    ]);
    expect(() => llamaCompletion.parse({ prompt: 'see', image_data: [{ data: 'AAAA', id: 7 }] })).toThrow(
      'The prompt has no [img-7]',
    );
  });

  it('takes llama.cpp’s names and ranges, and says what it ignored', () => {
    const call = llamaCompletion.parse({
      prompt: 'Hi',
      n_predict: 0,
      temperature: -1,
      top_k: 0,
      seed: 7,
      n_cmpl: 2,
      n_probs: 3,
      stop: ['\n'],
      cache_prompt: false,
      id_slot: 2,
      mirostat: 2,
    });
    expect(call.generations).toMatchObject([
      {
        maxTokens: 0,
        sampling: { temperature: 0, topK: 0, seed: 7, advanced: { mirostat: 2 } },
        stop: ['\n'],
        cachePrompt: false,
        logprobs: { top: 3 },
      },
      { sampling: { seed: 8 } },
    ]);
    expect(call.warnings).toEqual(['id_slot is not supported and was ignored']);
    expect(llamaCompletion.parse({ prompt: 'Hi', temperature: 5 }).generations[0]?.sampling.temperature).toBe(5);
  });

  const settings = { n_predict: 5, max_tokens: 5, seed: 42, temperature: 0.5, stop: [], ignore_eos: false, n_probs: 0 };

  it('is answered by one object, with the prompt and what was asked for', () => {
    const call = llamaCompletion.parse({ prompt: 'Hi', n_predict: 5, temperature: 0.5 });
    expect(whole(llamaCompletion, call, [events(['a\n', 'b'])])).toMatchObject({
      index: 0,
      content: 'a\nb',
      stop: true,
      prompt: 'Hi',
      generation_settings: { ...settings, stream: false },
      has_new_line: true,
      stop_type: 'eos',
      tokens_evaluated: 7,
    });
  });

  it('is answered by a list where there are several prompts or choices', () => {
    const call = llamaCompletion.parse({ prompt: ['a', [1]], n_cmpl: 1 });
    const [first, second, ...more] = [whole(llamaCompletion, call, [events(['x']), events(['y'])])].flat();
    expect(more).toEqual([]);
    expect(first).toMatchObject({ index: 0, content: 'x', prompt: 'a' });
    expect(second).toMatchObject({ index: 1, content: 'y' });
    expect(second).not.toHaveProperty('prompt');
  });

  it('streams the pieces of every choice, and a last one for each', () => {
    const call = llamaCompletion.parse({ prompt: ['a', 'b'], stream: true, response_fields: ['content', 'stop'] });
    expect(data(frames(llamaCompletion, call, [events(['x']), events(['x'])]))).toEqual([
      { index: 0, content: 'x', tokens: [], stop: false, id_slot: -1, tokens_evaluated: 7 },
      { index: 1, content: 'x', tokens: [], stop: false, id_slot: -1, tokens_evaluated: 7 },
      { content: '', stop: true },
      { content: '', stop: true },
    ]);
  });

  it('says the seed that was used where none was given', () => {
    const call = llamaCompletion.parse({ prompt: 'a', stream: true, response_fields: ['generation_settings/seed'] });
    expect(data(frames(llamaCompletion, call, [events([], finish({ seed: 99 }))]))).toEqual([
      { 'generation_settings/seed': 99 },
    ]);
  });
});
