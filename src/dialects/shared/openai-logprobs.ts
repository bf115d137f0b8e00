import type { TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import { wireLogprob } from './logprob.ts';

/** Log probabilities, one object per token, as both the chat API and the Responses API write them. */
export function openaiLogprobs(tokens: readonly TokenLogprob[]): JsonObject[] {
  return tokens.map((token) => ({ ...candidate(token), top_logprobs: token.top.map(candidate) }));
}

function candidate({ text, bytes, logprob }: TokenCandidate): JsonObject {
  return { token: text, logprob: wireLogprob(logprob), bytes };
}
