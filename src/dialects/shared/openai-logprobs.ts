import type { TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';

/** JSON has no minus infinity; OpenAI writes this for a token that could not come. */
const impossible = -9999;

/** Log probabilities, one object per token, as both the chat API and the Responses API write them. */
export function openaiLogprobs(tokens: readonly TokenLogprob[]): JsonObject[] {
  return tokens.map((token) => ({ ...candidate(token), top_logprobs: token.top.map(candidate) }));
}

function candidate({ text, bytes, logprob }: TokenCandidate): JsonObject {
  return { token: text, logprob: Math.max(logprob, impossible), bytes };
}
