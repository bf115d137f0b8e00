import type { JsonObject } from '../../contract/json.ts';
import type { PromptCount } from '../../contract/services.ts';

/** Anthropic's one member: its SDK's type has no others, and `/v1/chat/completions/input_tokens` tells more. */
export function countTokensAnswer({ inputTokens }: PromptCount): JsonObject {
  return { input_tokens: inputTokens };
}
