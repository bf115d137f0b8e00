import { mostCharactersPerCall, type Vocabulary } from '../native/vocabulary.ts';
import type { TokenText } from './engine.ts';
import { longestMark, tokenizeLater } from './later-piece.ts';

export interface TokenTextOptions {
  readonly vocabulary: Vocabulary;
  /** Lets the event loop run: `setImmediate` as a promise. */
  readonly yieldToEventLoop: () => Promise<void>;
}

/**
 * One native call takes so many characters at most; between calls the event loop runs. Measured with a vocabulary of
 * 152k: 2 ms for English, 6 ms for Chinese.
 */
export function createTokenText({ vocabulary, yieldToEventLoop }: TokenTextOptions): TokenText {
  const known = new Map<number, Uint8Array>();
  const charactersPerCall = mostCharactersPerCall - longestMark;

  return {
    async tokenize(pieces, { special, signal }) {
      const tokens: number[] = [];
      let before = '';
      let sinceYield = 0;
      for (const piece of pieces) {
        for (const part of cutAtWords(piece, charactersPerCall)) {
          if (sinceYield > 0 && sinceYield + part.length > charactersPerCall) {
            await yieldToEventLoop();
            signal?.throwIfAborted();
            sinceYield = 0;
          }
          sinceYield += part.length;
          const found =
            before === ''
              ? vocabulary.tokenize(part, special)
              : tokenizeLater(vocabulary, part, special, { text: before, token: tokens.at(-1) });
          for (const token of found) tokens.push(token);
          before = part;
        }
      }
      return tokens;
    },

    bytes(token) {
      let bytes = known.get(token);
      if (!bytes) {
        bytes = vocabulary.bytes(token);
        known.set(token, bytes);
      }
      return bytes;
    },

    // Ids of media are no tokens of the vocabulary, which would end the process.
    isControl: (token) => vocabulary.has(token) && vocabulary.isControl(token),
  };
}

/**
 * Cuts a long text where no pre-tokenizer lets a token span the cut: between a letter (or any non-space) and a space, or
 * between a letter and a mark of Chinese or Japanese writing, with a letter after. A piece without such a place is cut
 * anyway: the text stays the same, a token at the seam may differ from what one call would give.
 */
export function* cutAtWords(text: string, most: number): Generator<string> {
  let start = 0;
  while (text.length - start > most) {
    const end = wordBorder(text, start, start + most);
    yield text.slice(start, end);
    start = end;
  }
  if (start < text.length) yield text.slice(start);
}

function wordBorder(text: string, start: number, end: number): number {
  for (let at = end; at > start; at--) if (isBorder(text, at)) return at;
  // Never between the halves of a surrogate pair.
  return /[\uD800-\uDBFF]/.test(text[end - 1] ?? '') ? end - 1 : end;
}

function isBorder(text: string, at: number): boolean {
  const before = text[at - 1] ?? ' ';
  const here = text[at] ?? '';
  if (here !== ' ' && !'。，、！？；：'.includes(here)) return false;
  return (here === ' ' ? /\S/u : /\p{L}/u).test(before) && /\p{L}/u.test(text[at + 1] ?? '');
}

/** Spellings of tokens that a text must not become by chance. */
export function controlTexts(vocabulary: Vocabulary): string[] {
  const texts = new Set<string>();
  for (let token = 0; token < vocabulary.size; token++) {
    if (!vocabulary.isSpecial(token)) continue;
    const text = vocabulary.spelling(token);
    if (text) texts.add(text);
  }
  return [...texts];
}
