import { describe, expect, it } from 'vitest';
import { readServerTools } from '../../../src/dialects/shared/server-tools.ts';

describe('the fields for tools that the server runs', () => {
  it('say nothing, no, or what is wanted; at the limit for calls the model answers', () => {
    expect(readServerTools({})).toBeUndefined();
    expect(readServerTools({ enable_tools: false })).toBe('off');
    expect(readServerTools({ enable_tools: true, max_tool_calls_per_message: 0 })).toBe('off');
    expect(readServerTools({ enable_tools: true })).toEqual({
      maxCalls: 25,
      callTimeoutMs: 300_000,
      confirm: 'never',
      atLimit: 'answer',
    });
    expect(
      readServerTools({
        enable_tools: true,
        enabled_tools: ['files__look'],
        max_tool_calls_per_message: 9999,
        tool_call_timeout: 1.5,
        confirm_tools: 'writes',
      }),
    ).toEqual({
      enabled: ['files__look'],
      maxCalls: Number.POSITIVE_INFINITY,
      callTimeoutMs: 1500,
      confirm: 'writes',
      atLimit: 'answer',
    });
  });
});
