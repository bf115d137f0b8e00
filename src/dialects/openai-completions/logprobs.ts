import type { PromptLogprobsEvent, TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import { wireLogprob } from '../shared/logprob.ts';

type ListedToken = TokenLogprob | PromptLogprobsEvent['tokens'][number];

/**
 * The `logprobs` object of the completions endpoint: parallel lists with one entry per token. OpenAI API reference,
 * "The completion object". `text_offset` counts Unicode characters from the start of the choice's own `text`.
 */
export class LogprobLists {
  readonly #top: number;
  readonly #decoder = new TextDecoder();
  #offset = 0;

  /** `top`: how many candidates were asked for. */
  constructor(top: number) {
    this.#top = top;
  }

  /** The echoed prompt. `text` is what the client sees of it: a token added before it (BOS) takes no room there. */
  takePrompt(tokens: PromptLogprobsEvent['tokens'], text: string): JsonObject {
    const all = new TextDecoder().decode(joinBytes(tokens));
    if (all.endsWith(text)) this.#offset = characters(text) - characters(all);
    return this.take(tokens);
  }

  /** The next tokens of the choice. */
  take(tokens: readonly ListedToken[]): JsonObject {
    return {
      tokens: tokens.map(tokenText),
      token_logprobs: tokens.map((token) => ('logprob' in token ? wireLogprob(token.logprob) : null)),
      top_logprobs:
        this.#top === 0 ? null : tokens.map((token) => ('logprob' in token ? this.#candidates(token) : null)),
      text_offset: tokens.map((token) => this.#advance(token)),
    };
  }

  /** The likeliest tokens and always the one that was taken, so one more than asked at most. */
  #candidates(token: TokenLogprob): JsonObject {
    const candidates = [...token.top.slice(0, this.#top), token];
    return Object.fromEntries(candidates.map((candidate) => [tokenText(candidate), wireLogprob(candidate.logprob)]));
  }

  #advance(token: ListedToken): number {
    const offset = Math.max(0, this.#offset);
    this.#offset += characters(this.#decoder.decode(Uint8Array.from(token.bytes), { stream: true }));
    return offset;
  }
}

/** The text of prompt tokens, for an echo of a prompt that was sent as numbers. */
export function joinText(tokens: PromptLogprobsEvent['tokens']): string {
  return new TextDecoder().decode(joinBytes(tokens));
}

function joinBytes(tokens: readonly ListedToken[]): Uint8Array {
  return Uint8Array.from(tokens.flatMap((token) => token.bytes));
}

/** OpenAI's spelling of a token that is only a part of a character: two of them must not look the same. */
function tokenText(token: Pick<TokenCandidate, 'text' | 'bytes'>): string {
  if (!token.text.includes('\uFFFD')) return token.text;
  return `bytes:${token.bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
}

function characters(text: string): number {
  return [...text].length;
}
