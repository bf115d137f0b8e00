import type { ChatResult } from './timed-chat.ts';

/**
 * The tokens of all streams together while all of them run: from the moment the last one begins to the moment the first
 * one ends. What comes before is the reading of the other prompts, which other measurements are about.
 */
export function tokensPerSecond(results: readonly ChatResult[]): number {
  const begin = Math.max(...results.map(({ pieceTimes }) => pieceTimes[0] ?? Number.NaN));
  const end = Math.min(...results.map(({ pieceTimes }) => pieceTimes.at(-1) ?? Number.NaN));
  if (!(end > begin)) throw new Error('the streams never ran all together');
  const tokens = results.reduce((sum, result) => sum + tokensBetween(result, begin, end), 0);
  return (tokens / (end - begin)) * 1000;
}

/** A piece of text has more than one token where a character does. */
function tokensBetween({ pieceTimes, completionTokens }: ChatResult, begin: number, end: number): number {
  const pieces = pieceTimes.filter((time) => time > begin && time <= end).length;
  return (pieces * completionTokens) / pieceTimes.length;
}

/** Tokens of all prompts, from the moment the first one is sent to the moment the last one has its first token. */
export function promptTokensPerSecond(results: readonly ChatResult[]): number {
  const begin = Math.min(...results.map(({ sentAt }) => sentAt));
  const end = Math.max(...results.map(({ pieceTimes }) => pieceTimes[0] ?? Number.NaN));
  const tokens = results.reduce((sum, { promptTokens, cachedTokens }) => sum + promptTokens - cachedTokens, 0);
  if (!(end > begin)) throw new Error('a prompt got no answer');
  if (tokens === 0) throw new Error('the server does not tell the tokens of a prompt');
  return (tokens / (end - begin)) * 1000;
}

export function firstTokenMs({ sentAt, pieceTimes }: Pick<ChatResult, 'sentAt' | 'pieceTimes'>): number {
  const first = pieceTimes[0];
  if (first === undefined) throw new Error('the answer has no text');
  return first - sentAt;
}
