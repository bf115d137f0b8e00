import type { Answer } from '../remote/protocol.ts';

interface Listener {
  readonly tell: (answer: Answer) => void;
  readonly refuse: (error: unknown) => void;
}

/** One caller's inputs, taken in batches of the shortest first, so that they fill them. */
export class VectorTask {
  readonly id: number;
  /** Whose turn it takes. */
  readonly owner: string;
  readonly about: 'embed' | 'rank';
  /** Tokens of the longest input. */
  readonly longest: number;
  readonly #vectors: Float32Array[] = [];
  #waiting: { readonly index: number; readonly tokens: Int32Array }[];
  #taken: readonly { readonly index: number }[] = [];
  readonly #listener: Listener;

  constructor(
    { id, owner, about }: Pick<VectorTask, 'id' | 'owner' | 'about'>,
    inputs: readonly Int32Array[],
    listener: Listener,
  ) {
    this.id = id;
    this.owner = owner;
    this.about = about;
    this.longest = inputs.reduce((most, { length }) => Math.max(most, length), 0);
    this.#waiting = inputs
      .map((tokens, index) => ({ index, tokens }))
      .sort((left, right) => left.tokens.length - right.tokens.length);
    this.#listener = listener;
    // Nothing to read has no vector, and no score.
    for (const { index } of this.#waiting.filter(({ tokens }) => tokens.length === 0)) {
      this.#vectors[index] = new Float32Array(about === 'rank' ? 1 : 0);
    }
    this.#waiting = this.#waiting.filter(({ tokens }) => tokens.length > 0);
  }

  get done(): boolean {
    return this.#waiting.length === 0;
  }

  /** As many whole inputs as fit. */
  next(batchTokens: number, most: number): readonly Int32Array[] {
    let room = batchTokens;
    let count = 0;
    for (const { tokens } of this.#waiting) {
      if (count >= most || tokens.length > room) break;
      room -= tokens.length;
      count++;
    }
    const taken = this.#waiting.splice(0, count);
    this.#taken = taken;
    return taken.map(({ tokens }) => tokens);
  }

  /** The vectors of what `next` gave. */
  take(vectors: readonly Float32Array[]): void {
    for (const [at, { index }] of this.#taken.entries()) this.#vectors[index] = vectors[at] ?? new Float32Array(0);
  }

  finish(): void {
    if (this.about === 'embed') this.#listener.tell({ about: 'embed', vectors: this.#vectors });
    else this.#listener.tell({ about: 'rank', scores: this.#vectors.map(([score]) => score ?? 0) });
  }

  refuse(error: unknown): void {
    this.#listener.refuse(error);
  }
}
