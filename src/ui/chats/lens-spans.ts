import type { Candidate, LensToken, PlacedToken } from './lens.ts';

/** A piece of a text: a token, tokens that share a character, or what came without tokens. */
export interface Span {
  /** In characters of the text. */
  readonly start: number;
  readonly text: string;
  /** Where tokens share a character: the first of them, with the text and the probability of all together. */
  readonly token?: PlacedToken;
  /** How many tokens of the answer are before it. */
  readonly before: number;
}

interface Whole {
  readonly token: PlacedToken;
  readonly before: number;
}

/** The text of one block taken apart, without a gap: joined, the spans are the text. `tokens` are those of its answer. */
export function spansOf(text: string, tokens: readonly PlacedToken[], block: number): Span[] {
  const spans: Span[] = [];
  let [end, at] = [0, 0];
  for (const { token, before } of wholeTokens(tokens)) {
    if (token.block !== block) continue;
    at = Math.max(at, token.from);
    // The text may have lost the white space in front of it.
    const found = [token.text, token.text.trimStart()].find((said) => said !== '' && text.startsWith(said, at));
    // It is not there: the next one that came later is looked for where that came.
    if (found === undefined) continue;
    if (at > end) spans.push({ start: end, text: text.slice(end, at), before });
    spans.push({ start: at, text: found, token, before });
    at += found.length;
    end = at;
  }
  if (end < text.length) spans.push({ start: end, text: text.slice(end), before: tokens.length });
  return spans;
}

/** What can be taken instead: whole characters, and nothing that the model ends with. */
export function othersOf({ text, top }: LensToken): Candidate[] {
  return top.filter((other) => other.text !== text && isText(other));
}

function isText({ text, bytes }: Candidate): boolean {
  return text !== '' && bytes === undefined && !controlToken.test(text);
}

/** As models spell what they end and part their turns with: as text it would only be shown. */
const controlToken = /^(<[|｜].*[|｜]>|<\/?(s|bos|eos|pad|unk|start_of_turn|end_of_turn)>)$/;

/** A character has up to four bytes, and so may be of as many tokens. */
const mostShared = 4;

function wholeTokens(tokens: readonly PlacedToken[]): Whole[] {
  const whole: Whole[] = [];
  let next = 0;
  for (const [before, token] of tokens.entries()) {
    if (before < next) continue;
    const joined =
      token.bytes === undefined ? { token, count: 1 } : join(token, tokens.slice(before, before + mostShared));
    if (joined) whole.push({ token: joined.token, before });
    next = before + (joined?.count ?? 1);
  }
  return whole;
}

/** As many as end with a character; undefined where none does. */
function join(first: PlacedToken, shared: readonly PlacedToken[]): { token: PlacedToken; count: number } | undefined {
  const { bytes: _, ...rest } = first;
  const bytes: number[] = [];
  let probability = 1;
  for (const [index, token] of shared.entries()) {
    bytes.push(...(token.bytes ?? new TextEncoder().encode(token.text)));
    probability *= token.probability;
    const text = decoded(bytes);
    if (text !== undefined) return { token: { ...rest, text, probability }, count: index + 1 };
  }
  return undefined;
}

function decoded(bytes: readonly number[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
