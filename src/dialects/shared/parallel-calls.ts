import type { ToolChoice } from '../../contract/request.ts';

/**
 * Whether an answer may hold several calls. OpenAI documents a named function as exactly one call of it ("Forced
 * function", https://platform.openai.com/docs/guides/function-calling), whatever `parallel_tool_calls` says; `required`
 * and a list of allowed tools leave the number open.
 */
export function openaiParallelCalls(choice: ToolChoice, asked: boolean | undefined): boolean | undefined {
  return choice.type === 'function' ? false : asked;
}
