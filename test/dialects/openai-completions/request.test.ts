import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { openaiCompletions } from '../../../src/dialects/openai-completions/index.ts';

const { parse } = openaiCompletions;

function refusal(body: unknown): { code: string; message: string; param: string | undefined } {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof ServeError) return { code: error.code, message: error.message, param: error.details.param };
    throw error;
  }
  throw new Error('The body was accepted.');
}

describe('request of /v1/completions', () => {
  it('fills in its defaults, the rest of the context among them', () => {
    expect(parse({ prompt: 'Hi' })).toEqual({
      generations: [
        {
          prompt: { type: 'text', text: 'Hi' },
          sampling: {},
          maxTokens: -1,
          stop: [],
          outputShape: { type: 'text' },
          ignoreEos: false,
          cachePrompt: true,
          priority: 3,
          keys: {},
        },
      ],
      stream: false,
      warnings: [],
      n: 1,
      perPrompt: 1,
      echo: false,
      promptLogprobs: false,
      logprobs: undefined,
      includeUsage: false,
    });
  });

  it.each([
    ['a text', 'Hi', [{ type: 'text', text: 'Hi' }]],
    ['an empty text', '', [{ type: 'text', text: '' }]],
    [
      'texts',
      ['a', ''],
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: '' },
      ],
    ],
    ['tokens', [1, 2], [{ type: 'tokens', tokens: [1, 2] }]],
    [
      'lists of tokens',
      [[1], [2, 3]],
      [
        { type: 'tokens', tokens: [1] },
        { type: 'tokens', tokens: [2, 3] },
      ],
    ],
  ])('takes %s as prompt', (_, prompt, expected) => {
    expect(parse({ prompt }).generations.map((generation) => generation.prompt)).toEqual(expected);
  });

  it('makes every choice of every prompt, the choices of a prompt side by side', () => {
    const { generations } = parse({ prompt: ['a', 'b'], n: 2, seed: 5 });
    expect(generations.map(({ prompt, sampling }) => [prompt, sampling.seed])).toEqual([
      [{ type: 'text', text: 'a' }, 5],
      [{ type: 'text', text: 'a' }, 6],
      [{ type: 'text', text: 'b' }, 5],
      [{ type: 'text', text: 'b' }, 6],
    ]);
  });

  it('turns a suffix into fill-in-the-middle, and an empty one into nothing', () => {
    expect(parse({ prompt: 'a(', suffix: ')' }).generations[0]?.prompt).toEqual({
      type: 'infill',
      prefix: 'a(',
      suffix: ')',
      extra: [],
    });
    expect(parse({ prompt: 'a(', suffix: '' }).generations[0]?.prompt).toEqual({ type: 'text', text: 'a(' });
  });

  it.each([
    ['text without log probabilities', { prompt: 'a', echo: true }, undefined],
    ['text with them', { prompt: 'a', echo: true, logprobs: 2 }, { top: 2 }],
    ['nothing generated', { prompt: 'a', echo: true, max_tokens: 0 }, { top: 0 }],
    ['tokens, whose text only the model knows', { prompt: [1, 2], echo: true }, { top: 0 }],
  ])('asks for the log probabilities of the prompt for an echo of %s', (_, body, expected) => {
    expect(parse(body).generations[0]?.promptLogprobs).toEqual(expected);
  });

  it('asks for log probabilities to find the best of several, and shows them only if the client asked', () => {
    const call = parse({ prompt: 'a', best_of: 3 });
    expect(call.generations.map((generation) => generation.logprobs)).toEqual([{ top: 0 }, { top: 0 }, { top: 0 }]);
    expect([call.n, call.perPrompt, call.logprobs]).toEqual([1, 3, undefined]);
  });

  it('takes the constraints and extensions of the other endpoints', () => {
    const [generation] = parse({
      prompt: 'a',
      json_schema: { type: 'string' },
      top_k: 5,
      stop: 'x',
      max_tokens: 9,
      cancel_id: 'c',
      user: 'me',
      model: 'm',
    }).generations;
    expect(generation).toMatchObject({
      outputShape: { type: 'json-schema', schema: { type: 'string' } },
      sampling: { topK: 5 },
      stop: ['x'],
      maxTokens: 9,
      keys: { cancelId: 'c', userHint: 'me' },
      model: 'm',
    });
    expect(parse({ prompt: 'a', grammar: 'root ::= "x"' }).generations[0]?.outputShape).toEqual({
      type: 'grammar',
      grammar: 'root ::= "x"',
    });
    expect(parse({ prompt: 'a', response_format: { type: 'json_object' } }).generations[0]?.outputShape).toEqual({
      type: 'json',
    });
  });

  it.each([
    [{}, 'prompt', /missing/],
    [{ prompt: [] }, 'prompt', /prompt/],
    [{ prompt: ['a', 1] }, 'prompt[1]', /1, but must be a string/],
    [{ prompt: [[]] }, 'prompt[0]', /entr(y|ies)/],
    [{ prompt: 'a', max_tokens: -2 }, 'max_tokens', /-2, but must be at least 0/],
    [{ prompt: 'a', logprobs: 21 }, 'logprobs', /21, but must be at most 20/],
    [{ prompt: 'a', n: 0 }, 'n', /0, but must be at least 1/],
    [{ prompt: 'a', n: 3, best_of: 2 }, 'best_of', /2, but must be at least `n`, which is 3/],
    [{ prompt: 'a', best_of: 2, stream: true }, 'best_of', /cannot be streamed/],
    [{ prompt: [1], suffix: 'b' }, 'suffix', /detokenize/],
    [{ prompt: 'a', suffix: 'b', echo: true }, 'echo', /cannot be combined/],
  ])('refuses %j', (body, param, message) => {
    expect(refusal(body)).toMatchObject({ code: 'invalid_request', param, message: expect.stringMatching(message) });
  });
});
