import { describe, expect, it } from 'vitest';
import { refuseHopelessPrompt, resolveTokenBudget } from '../../src/generation/budget.ts';

describe('the token budget', () => {
  it.each([
    { asked: -1, prompt: 100, budget: 900 },
    { asked: 32_000, prompt: 100, budget: 900 },
    { asked: 7, prompt: 100, budget: 7 },
    { asked: -1, prompt: 999, budget: 1 },
    { asked: 0, prompt: 1000, budget: 0 },
  ])('$asked tokens behind a prompt of $prompt in a context of 1000 are $budget', ({ asked, prompt, budget }) => {
    expect(resolveTokenBudget(prompt, 1000, asked)).toBe(budget);
  });

  it('refuses a prompt that leaves room for no token, with the numbers', () => {
    expect(() => resolveTokenBudget(1000, 1000, 50)).toThrow(
      expect.objectContaining({
        code: 'context_length_exceeded',
        message: expect.stringContaining(
          'maximum context length is 1000 tokens; the prompt has 1000 tokens and 50 more',
        ),
        details: { param: 'messages', tokens: { needed: 1000, available: 1000, asked: 50, estimated: false } },
      }),
    );
  });

  it('refuses before tokenizing what cannot fit, and says that the number is an estimate', () => {
    expect(() => refuseHopelessPrompt(8000, 1000, -1)).not.toThrow();
    expect(() => refuseHopelessPrompt(8001, 1000, -1)).toThrow(
      expect.objectContaining({
        code: 'context_length_exceeded',
        message: expect.stringMatching(/maximum context length is 1000 tokens; .*estimated/),
        details: { param: 'messages', tokens: { needed: 1001, available: 1000, asked: -1, estimated: true } },
      }),
    );
  });
});
