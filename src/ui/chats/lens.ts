import { member } from '../api/failure.ts';

/** What could stand at a place of an answer. */
export interface Candidate {
  /** As it reads alone; with U+FFFD where it begins or ends inside a character. */
  readonly text: string;
  /** Only where the text alone does not tell them. */
  readonly bytes?: readonly number[];
  /** 0 to 1. */
  readonly probability: number;
}

/** A token of an answer, with the likeliest that could have stood there, the likeliest first. */
export interface LensToken extends Candidate {
  readonly top: readonly Candidate[];
}

/** One whose block is known, and up to where the text of this was there when it came: it does not begin before. */
export interface PlacedToken extends LensToken {
  readonly block: number;
  readonly from: number;
}

/** The log probabilities of a chunk of `/v1/chat/completions`; none where it has none. */
export function lensTokensIn(choice: unknown): readonly LensToken[] | undefined {
  const tokens = member(member(choice, 'logprobs'), 'content');
  if (!Array.isArray(tokens) || tokens.length === 0) return undefined;
  return tokens.flatMap((token: unknown) => {
    const top = member(token, 'top_logprobs');
    return candidateIn(token).map((own) => ({ ...own, top: Array.isArray(top) ? top.flatMap(candidateIn) : [] }));
  });
}

function candidateIn(value: unknown): Candidate[] {
  const [text, logprob, bytes] = [member(value, 'token'), member(value, 'logprob'), member(value, 'bytes')];
  if (typeof text !== 'string' || typeof logprob !== 'number') return [];
  const isPart = text.includes('\uFFFD') && Array.isArray(bytes);
  return [{ text, probability: Math.min(1, Math.exp(logprob)), ...(isPart && { bytes: bytes.map(Number) }) }];
}
