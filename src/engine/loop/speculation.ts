import { isMediaRow } from '../media-ids.ts';

/** Guesses the tokens to come, so that one step can confirm several. Right or wrong, the output stays the same. */
export interface Guesser {
  /** A new run begins, which reuses so many tokens of its slot: nothing else of the last one counts. */
  begin(prompt: Int32Array, cachedTokens: number): void;
  /** The tokens that really came, since the last call; gives guesses for what follows. */
  follow(tokens: readonly number[]): readonly number[];
}

/** One guesser per slot. */
export type GuesserFactory = (slot: number) => Guesser;

export interface Speculation {
  readonly guessers: GuesserFactory;
  free(): void;
}

/** Longer guesses are rarely right to the end and make every step dearer. */
export const longestGuess = 8;

/** A pair of tokens that repeats: the text is believed to go on as it did then. */
const patternLength = 2;
const mostTokens = 2 ** 24;

/** Guesses that the answer repeats the prompt or itself: good for edits, quotes and code. */
export function lookupGuessers(): Speculation {
  return { guessers: createLookupGuesser, free: () => undefined };
}

function createLookupGuesser(): Guesser {
  let text: number[] = [];
  /** Where a pair of tokens was followed by others: the place after its last occurrence. */
  let places = new Map<number, number>();
  const remember = (end: number) => {
    if (end >= patternLength) places.set(patternAt(end), end);
  };
  const patternAt = (end: number) => (text[end - 2] ?? 0) * mostTokens + (text[end - 1] ?? 0);
  return {
    begin(prompt) {
      text = [...prompt];
      places = new Map();
      for (let end = patternLength; end < text.length; end++) remember(end);
    },
    follow(tokens) {
      for (const token of tokens) {
        remember(text.length);
        text.push(token);
      }
      const place = text.length >= patternLength ? places.get(patternAt(text.length)) : undefined;
      const guesses = place === undefined ? [] : text.slice(place, place + longestGuess);
      const medium = guesses.findIndex(isMediaRow);
      return medium < 0 ? guesses : guesses.slice(0, medium);
    },
  };
}
