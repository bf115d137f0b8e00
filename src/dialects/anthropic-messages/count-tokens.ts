import type { JsonObject } from '../../contract/json.ts';
import type { GenerationRequest } from '../../contract/request.ts';
import type { PromptCount } from '../../contract/services.ts';
import { parseMessages } from './request.ts';

/** `POST /v1/messages/count_tokens` takes the body of the call it asks about and is parsed as that: so its count is exact. */
export function parseCountTokens(body: unknown): GenerationRequest {
  return parseMessages(body).generations[0];
}

/** Anthropic's one member: its SDK's type has no others, and `/v1/chat/completions/input_tokens` tells more. */
export function countTokensAnswer({ inputTokens }: PromptCount): JsonObject {
  return { input_tokens: inputTokens };
}
