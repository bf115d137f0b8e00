import type { TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import { openaiLogprobs } from '../shared/openai-logprobs.ts';

/** `choices[].logprobs` of the chat API. It covers the content tokens, not the reasoning. */
export function chatLogprobs(tokens: readonly TokenLogprob[]): JsonObject {
  return { content: openaiLogprobs(tokens), refusal: null };
}
