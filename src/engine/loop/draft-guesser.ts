import { Batch } from '../../native/batch.ts';
import type { Context } from '../../native/context.ts';
import { type Guesser, longestGuess } from './speculation.ts';

/** A guess is worth confirming only when the draft model is this sure. */
const leastConfidence = 0.6;

/** Guesses by greedy decoding on the draft model, in its own context with a sequence per slot. */
export class DraftDesk {
  readonly #context: Context;
  readonly #batch: Batch;
  readonly #vocabularySize: number;

  /** `vocabularySize`: of the model that the guesses are for, which may differ by padding. */
  constructor(context: Context, vocabularySize: number) {
    this.#context = context;
    this.#vocabularySize = vocabularySize;
    this.#batch = new Batch(context.library, context.batchSize);
  }

  guesser(sequence: number): Guesser {
    /** What the draft sequence has evaluated, guesses included. */
    const held: number[] = [];
    let text: number[] = [];
    return {
      begin: (prompt, cachedTokens) => {
        text = [...prompt];
        // The slot may have been another's, whose text must not make guesses come earlier.
        this.#cut(sequence, held, Math.min(held.length, cachedTokens));
      },
      follow: (tokens) => {
        text.push(...tokens);
        return this.#draft(sequence, held, text);
      },
    };
  }

  /** Its context goes after it. */
  free(): void {
    this.#batch.free();
  }

  #draft(sequence: number, held: number[], text: readonly number[]): number[] {
    const { contextSize, model } = this.#context;
    if (text.length + longestGuess >= contextSize) return [];
    if (text.some((token) => !model.vocabulary.has(token))) return [];
    let common = 0;
    while (common < held.length && common < text.length - 1 && held[common] === text[common]) common++;
    this.#cut(sequence, held, common);
    const guesses: number[] = [];
    let next: readonly number[] = text.slice(held.length);
    while (guesses.length < longestGuess) {
      const { token, confidence } = mostLikely(this.#evaluate(sequence, held, next));
      if (confidence < leastConfidence || token >= this.#vocabularySize) break;
      if (model.vocabulary.isEndOfGeneration(token)) break;
      guesses.push(token);
      next = [token];
    }
    return guesses;
  }

  #cut(sequence: number, held: number[], tokens: number): void {
    if (tokens === held.length) return;
    const isCut = this.#context.cut(sequence, tokens);
    if (!isCut) this.#context.clear(sequence);
    held.length = isCut ? tokens : 0;
  }

  /** Evaluates tokens after what is held; the logits of what comes next. */
  #evaluate(sequence: number, held: number[], tokens: readonly number[]): Float32Array {
    let place = 0;
    for (let at = 0; at < tokens.length; at += this.#batch.capacity) {
      this.#batch.clear();
      const piece = tokens.slice(at, at + this.#batch.capacity);
      for (const [index, token] of piece.entries()) {
        place = this.#batch.add(token, held.length, sequence, at + index === tokens.length - 1);
        held.push(token);
      }
      if (this.#context.decode(this.#batch) !== 'done') throw new Error('The draft model had no room for a guess.');
    }
    return this.#context.logits(place);
  }
}

/** The token with the highest logit, and its probability. */
function mostLikely(logits: Float32Array): { readonly token: number; readonly confidence: number } {
  let token = 0;
  for (let each = 1; each < logits.length; each++) if ((logits[each] ?? 0) > (logits[token] ?? 0)) token = each;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - (logits[token] ?? 0));
  return { token, confidence: 1 / sum };
}
