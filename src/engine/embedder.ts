import type { Embedding, EmbeddingInput, Ranking, VectorCaller } from '../contract/services.ts';

/** How a model makes one vector out of many tokens; `last` is also what a chat model does. */
export type Pooling = 'mean' | 'cls' | 'last';

interface EmbedOptions extends VectorCaller {
  /** Inputs that are too long are cut at their end instead of refused. */
  readonly truncate: boolean;
}

/** The vectors of one loaded model. Its contexts are made on first use. */
export interface Embedder {
  /** Length of a vector. */
  readonly dimensions: number;
  readonly pooling: Pooling;
  /** Longest input in tokens, those that the vocabulary adds included. */
  readonly maxTokens: number;
  /**
   * One embedding per input, in their order. Owners share the contexts and take turns; several inputs of one call are
   * evaluated at once. ServeError context_length_exceeded or invalid_request, `param` naming the input (`input[3]`),
   * before anything is evaluated. Aborting takes effect between two inputs.
   */
  embed(inputs: readonly EmbeddingInput[], options: EmbedOptions): Promise<readonly Embedding[]>;
  /** Whether somebody waits for an answer. */
  readonly busy: boolean;
  dispose(): Promise<void>;
}

/** The relevance scores of a model that was trained for them. */
export interface Ranker {
  /** Longest pair of query and document in tokens, with the marks between them. */
  readonly maxTokens: number;
  /** ServeError context_length_exceeded, `param` naming the document, before anything is evaluated. */
  rank(query: string, documents: readonly string[], caller: VectorCaller): Promise<Ranking>;
  /** Whether somebody waits for an answer. */
  readonly busy: boolean;
  dispose(): Promise<void>;
}
