import { InputLookupTokenPredictor, type Token } from 'node-llama-cpp';

/** Guesses the tokens to come, so that one step can confirm several. Right or wrong, the output stays the same. */
export interface Guesser {
  /** A new run begins: nothing of the last one counts. */
  begin(prompt: readonly number[]): Promise<void>;
  /** The tokens that really came, since the last call; gives guesses for what follows. */
  follow(tokens: readonly number[]): Promise<readonly number[]>;
  stop(): void;
}

/** One guesser per slot. */
export type GuesserFactory = (slot: number) => Guesser;

export interface Speculation {
  readonly guessers: GuesserFactory;
  dispose(): Promise<void>;
}

/** Longer guesses are rarely right to the end and make every step dearer. */
export const longestGuess = 8;

/** Guesses that the answer repeats the prompt: good for edits, quotes and code. */
export function lookupGuessers(): Speculation {
  const guessers = (): Guesser => {
    const predictor = new InputLookupTokenPredictor({
      patternLength: { min: 2 },
      predictionLength: { min: 1, max: longestGuess },
    });
    return {
      async begin(prompt) {
        predictor.updateInputTokens(asTokens(prompt));
        predictor.reset({ stateTokens: asTokens(prompt) });
      },
      async follow(tokens) {
        predictor.pushTokens(asTokens(tokens));
        return predictor.predictTokens().slice(0, longestGuess);
      },
      stop: () => undefined,
    };
  };
  return { guessers, dispose: async () => undefined };
}

/** Token is number with a brand; the engine's tokens come from the same vocabulary. */
function asTokens(tokens: readonly number[]): Token[] {
  return tokens as Token[];
}
