import type { TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';

/** `choices[].logprobs` of the chat API. It covers the content tokens, not the reasoning. */
export function chatLogprobs(tokens: readonly TokenLogprob[]): JsonObject {
  return {
    content: tokens.map((token) => ({ ...candidate(token), top_logprobs: token.top.map(candidate) })),
    refusal: null,
  };
}

/** JSON has no minus infinity; OpenAI writes -9999 for a token that could not come. */
function candidate(token: TokenCandidate): JsonObject {
  return { token: token.text, logprob: Math.max(token.logprob, -9999), bytes: [...token.bytes] };
}
