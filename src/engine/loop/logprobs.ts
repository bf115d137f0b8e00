import type { TokenCandidate, TokenLogprob } from '../../contract/events.ts';

/** Log probabilities before any sampler, of one token and of the `top` most likely ones. */
export function tokenLogprob(
  logits: Float32Array,
  token: number,
  top: number,
  bytesOf: (token: number) => Uint8Array,
): TokenLogprob {
  const normaliser = logSumExp(logits);
  const candidate = (each: number): TokenCandidate => {
    const bytes = bytesOf(each);
    const logprob = (logits[each] ?? Number.NEGATIVE_INFINITY) - normaliser;
    return { token: each, text: new TextDecoder().decode(bytes), bytes: [...bytes], logprob };
  };
  return { ...candidate(token), top: mostLikely(logits, top).map(candidate) };
}

function logSumExp(logits: Float32Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > highest) highest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  return highest + Math.log(sum);
}

/** The tokens with the highest logits, the highest first, of equals the lower number. */
function mostLikely(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  const logit = (token: number | undefined) => (token === undefined ? Number.NEGATIVE_INFINITY : (logits[token] ?? 0));
  for (let token = 0; token < logits.length && count > 0; token++) {
    if (best.length >= count && logit(token) <= logit(best.at(-1))) continue;
    let at = best.length;
    while (at > 0 && logit(token) > logit(best[at - 1])) at--;
    best.splice(at, 0, token);
    if (best.length > count) best.pop();
  }
  return best;
}
