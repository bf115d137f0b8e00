import type { NativeBindings, NativeContext, NativeModel, NativeSampler } from './native.ts';
import { type Guesser, longestGuess } from './speculation.ts';

export interface DraftTools {
  readonly bindings: NativeBindings;
  readonly model: NativeModel;
  readonly context: NativeContext;
  readonly batchSize: number;
  readonly contextSize: number;
}

/** A guess is worth confirming only when the draft model is this sure; 0.6 is the binding's own default. */
const leastConfidence = 0.6;

/**
 * Guesses by greedy decoding on the draft model, in its own context with a sequence per slot. The binding's own
 * DraftSequenceTokenPredictor was tried first: it drafts in the background through the slower sequence class, and with
 * several sequences its wait for a first guess did not always end.
 */
export class DraftDesk {
  readonly #tools: DraftTools;
  readonly #sampler: NativeSampler;
  /** One native context, one decode at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(tools: DraftTools) {
    this.#tools = tools;
    this.#sampler = new tools.bindings.AddonSampler(tools.model);
    this.#sampler.applyConfig({ temperature: 0 });
  }

  guesser(sequence: number): Guesser {
    /** What the draft sequence has evaluated, guesses included. */
    const held: number[] = [];
    let text: number[] = [];
    return {
      begin: async (prompt) => {
        text = [...prompt];
      },
      follow: (tokens) => {
        text.push(...tokens);
        return this.#inTurn(() => this.#draft(sequence, held, text));
      },
      stop: () => undefined,
    };
  }

  async #draft(sequence: number, held: number[], text: readonly number[]): Promise<number[]> {
    if (text.length + longestGuess >= this.#tools.contextSize) return [];
    const { context, model } = this.#tools;
    let common = 0;
    while (common < held.length && common < text.length - 1 && held[common] === text[common]) common++;
    context.removeTokenCellsFromSequence(sequence, common, -1);
    held.length = common;
    const guesses: number[] = [];
    let next: readonly number[] = text.slice(common);
    while (guesses.length < longestGuess) {
      const [token, confidence] = await this.#evaluate(sequence, held, next);
      if (token === -1 || confidence < leastConfidence || model.isEogToken(token)) break;
      guesses.push(token);
      next = [token];
    }
    return guesses;
  }

  /** Evaluates tokens behind what is held; the most likely next token and how sure the model is of it. */
  async #evaluate(
    sequence: number,
    held: number[],
    tokens: readonly number[],
  ): Promise<[token: number, confidence: number]> {
    const { context, batchSize } = this.#tools;
    let logits: Uint32Array = new Uint32Array(0);
    for (let at = 0; at < tokens.length; at += batchSize) {
      const piece = Uint32Array.from(tokens.slice(at, at + batchSize));
      context.initBatch(piece.length);
      logits = context.addToBatch(sequence, held.length, piece, Uint32Array.of(piece.length - 1));
      await context.decodeBatch();
      held.push(...piece);
    }
    const [token, , confidence] = await context.sampleToken(logits[0] ?? 0, this.#sampler, false, true);
    return [token, confidence];
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
