import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { studioGenerate } from '../../../src/dialects/studio-generate/index.ts';
import { answer, data, events, frames, whole } from '../endpoint-answers.ts';

const messages = [{ role: 'user', content: 'Hi' }];

describe('/generate/stream in the Studio form', () => {
  it('puts the system prompt first and takes every number', () => {
    const call = studioGenerate.parse({
      messages,
      system_prompt: 'Be short.',
      temperature: 0.5,
      top_p: 0.9,
      top_k: 3,
      max_new_tokens: 8,
      repetition_penalty: 1.1,
      presence_penalty: 0.2,
    });
    expect(call).toEqual({
      generations: [
        {
          prompt: {
            type: 'chat',
            messages: [
              { role: 'system', content: 'Be short.' },
              { role: 'user', content: 'Hi' },
            ],
            tools: [],
            toolChoice: { type: 'none' },
            reasoning: { format: 'none' },
            templateVariables: {},
            continueFinalMessage: true,
          },
          sampling: { temperature: 0.5, topP: 0.9, topK: 3, repeatPenalty: 1.1, presencePenalty: 0.2 },
          maxTokens: 8,
          stop: [],
          outputShape: { type: 'text' },
          ignoreEos: false,
          cachePrompt: true,
          priority: 3,
          keys: {},
        },
      ],
      stream: true,
      withoutWordsForTools: true,
      warnings: [],
    });
  });

  it('needs no system prompt and no limit', () => {
    const [generation] = studioGenerate.parse({ messages, system_prompt: '' }).generations;
    expect(generation).toMatchObject({ prompt: { messages }, maxTokens: -1 });
  });

  it('refuses a body without messages', () => {
    expect(() => studioGenerate.parse({})).toThrow('`messages` is missing: it must be a list.');
    expect(() => studioGenerate.parse({ messages: [] })).toThrow(/`messages`/);
  });

  it('streams text, the used seed and [DONE]', () => {
    const call = studioGenerate.parse({ messages });
    expect(data(frames(studioGenerate, call, [events(['a', '', 'b'])]))).toEqual([
      { text: 'a' },
      { text: 'b' },
      { text: '', seed: 42 },
      '[DONE]',
    ]);
    expect(whole(studioGenerate, call, [events(['a', 'b'])])).toEqual({ text: 'ab' });
  });

  it('ends a failed stream with the error and [DONE]', () => {
    const { fail } = studioGenerate.encoder(studioGenerate.parse({ messages }), answer);
    expect(data(fail(new ServeError('internal', 'It broke.')))).toEqual([
      { error: { message: 'It broke.', type: 'server_error', param: null, code: null } },
      '[DONE]',
    ]);
  });
});
