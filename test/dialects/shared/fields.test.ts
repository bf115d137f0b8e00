import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ServeError } from '../../../src/contract/errors.ts';
import {
  extensionFields,
  forChoice,
  grammarFields,
  maxTokensField,
  reasoningFields,
  samplingFields,
  stopField,
  toReasoning,
  toRequestOptions,
} from '../../../src/dialects/shared/sampling.ts';
import { optional, validate } from '../../../src/dialects/shared/validate.ts';

const schema = z.object({
  ...samplingFields,
  ...extensionFields,
  ...reasoningFields,
  ...grammarFields,
  stop: stopField,
  max_tokens: maxTokensField,
  messages: optional(
    z.array(
      z.object({
        role: z.enum(['user', 'system']),
        content: z.union([z.string(), z.array(z.object({ type: z.literal('text'), text: z.string() }))]),
      }),
    ),
  ),
});

function refusal(body: unknown): { message: string; param: string | undefined } {
  try {
    validate(schema, body);
  } catch (error) {
    if (error instanceof ServeError) return { message: error.message, param: error.details.param };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a body that does not fit', () => {
  it.each([
    ['temperature', { temperature: 3 }, '`temperature` is 3, but must be at most 2.'],
    ['temperature', { temperature: 'hot' }, '`temperature` is "hot", but must be a number.'],
    ['max_tokens', { max_tokens: 0 }, '`max_tokens` is 0, but must be at least 1, or -1 for the rest of the context.'],
    ['max_tokens', { max_tokens: 1.5 }, '`max_tokens` is 1.5, but must be a whole number.'],
    ['top_k', { top_k: -2 }, '`top_k` is -2, but must be at least -1.'],
    ['stop', { stop: 7 }, '`stop` is 7, but must be a string or a list.'],
    ['stop', { stop: Array(17).fill('a') }, '`stop` is a list of 17 entries, but must be at most 16 entries long.'],
    ['stop[1]', { stop: ['a', 2] }, '`stop[1]` is 2, but must be a string.'],
    [
      'reasoning_format',
      { reasoning_format: 'raw' },
      '`reasoning_format` is "raw", but must be one of "auto", "none", "deepseek", "deepseek-legacy".',
    ],
    [
      'messages[0].role',
      { messages: [{ content: 'a' }] },
      '`messages[0].role` is missing: it must be one of "user", "system".',
    ],
    [
      'messages[0].content[0].text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      '`messages[0].content[0].text` is missing: it must be a string.',
    ],
    [
      'messages[0].content',
      { messages: [{ role: 'user', content: 7 }] },
      '`messages[0].content` is 7, but must be a string or a list.',
    ],
    [
      'logit_bias',
      { logit_bias: { the: 1 } },
      '`logit_bias` must name tokens by their number, not "the". /tokenize tells the numbers.',
    ],
    ['logit_bias', { logit_bias: { 5: 101 } }, '`logit_bias` of token 5 is 101, but must lie between -100 and 100.'],
    [undefined, [], 'The request body is [], but must be an object.'],
    [undefined, null, 'The request body is null, but must be an object.'],
  ])('names %s', (param, body, message) => {
    expect(refusal(body)).toEqual({ param, message });
  });
});

describe('shared fields', () => {
  it('take null for absent', () => {
    const body = validate(schema, { temperature: null, stop: null, logit_bias: null, max_tokens: null, seed: null });
    expect(toRequestOptions(body)).toEqual({
      sampling: {},
      ignoreEos: false,
      cachePrompt: true,
      priority: 3,
      keys: {},
    });
    expect({ stop: body.stop, maxTokens: body.max_tokens }).toEqual({ stop: [], maxTokens: undefined });
  });

  it('become sampling under the names of the contract', () => {
    const body = validate(schema, {
      temperature: 0,
      top_p: 0.9,
      top_k: -1,
      min_p: 0.1,
      seed: 7,
      repeat_penalty: 1.1,
      frequency_penalty: -2,
      presence_penalty: 2,
      logit_bias: { 5: 1.5, 6: -100 },
      session_id: 's',
      cancel_id: 'c',
      priority: 5,
      cache_prompt: false,
      ignore_eos: true,
    });
    expect(toRequestOptions(body, { user: 'u', cacheKey: 'k' })).toEqual({
      sampling: {
        temperature: 0,
        topP: 0.9,
        topK: -1,
        minP: 0.1,
        seed: 7,
        repeatPenalty: 1.1,
        frequencyPenalty: -2,
        presencePenalty: 2,
        logitBias: new Map([
          [5, 1.5],
          [6, -100],
        ]),
      },
      ignoreEos: true,
      cachePrompt: false,
      priority: 5,
      keys: { sessionId: 's', cancelId: 'c', userHint: 'u' },
    });
  });

  it('take the pairs of llama.cpp as logit_bias, false bans a token', () => {
    const body = validate(schema, {
      logit_bias: [
        [5, 2],
        [6, false],
      ],
    });
    expect(body.logit_bias).toEqual(
      new Map([
        [5, 2],
        [6, -100],
      ]),
    );
  });

  it('drop an empty stop', () => {
    expect(validate(schema, { stop: '' }).stop).toEqual([]);
    expect(validate(schema, { stop: ['', 'a'] }).stop).toEqual(['a']);
  });

  it.each([
    [{}, undefined, {}],
    [{}, 'none', { enabled: false }],
    [{}, 'high', { effort: 'high' }],
    [{ enable_thinking: true }, 'none', { enabled: true }],
    [{ chat_template_kwargs: { enable_thinking: false } }, undefined, { enabled: false }],
    [{ reasoning_budget: 0 }, undefined, { budget: 0 }],
    [{ thinking_token_budget: 9 }, undefined, { budget: 9 }],
    [{ reasoning_format: 'deepseek' }, undefined, { format: 'auto' }],
    [{ reasoning_format: 'none' }, undefined, { format: 'none' }],
  ])('%j with effort %s asks for reasoning %j', (body, effort, reasoning) => {
    expect(toReasoning(validate(schema, body), effort)).toEqual(reasoning);
  });

  it('count a given seed up from choice to choice', () => {
    const request = {
      ...toRequestOptions(validate(schema, { seed: 7 })),
      prompt: { type: 'text', text: '' },
      maxTokens: -1,
      stop: [],
      outputShape: { type: 'text' },
    } as const;
    expect([0, 1, 2].map((choice) => forChoice(request, choice).sampling.seed)).toEqual([7, 8, 9]);
  });
});
