import type { JsonObject } from '../../contract/json.ts';
import type { PromptCount } from '../../contract/services.ts';

/**
 * The answer of the counting routes: OpenAI's `response.input_tokens` (API reference, "Get input token counts"), and as
 * extensions what of it is read already and how long the first token would take; both are estimates.
 */
export function writePromptCount(count: PromptCount): JsonObject {
  return { object: 'response.input_tokens', input_tokens: count.inputTokens, ...estimatesOf(count) };
}

function estimatesOf({ cachedTokens, firstTokenMs }: PromptCount): JsonObject {
  return { cached_tokens: cachedTokens, first_token_ms: firstTokenMs ?? null };
}
