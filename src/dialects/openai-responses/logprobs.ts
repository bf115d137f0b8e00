import type { TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';

/** JSON has no minus infinity; OpenAI writes this for a token that could not come. */
const impossible = -9999;

/** Log probabilities as the parts and events of output text carry them. */
export function logprobObjects(tokens: readonly TokenLogprob[]): JsonObject[] {
  return tokens.map((token) => ({ ...candidate(token), top_logprobs: token.top.map(candidate) }));
}

function candidate({ text, bytes, logprob }: TokenCandidate): JsonObject {
  return { token: text, bytes, logprob: Math.max(logprob, impossible) };
}
