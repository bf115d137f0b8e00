/** Text as its tokenizer reads it, spelled control tokens being plain text; or tokens, taken as they are. */
export type EmbeddingInput = string | readonly number[];

export interface Embedding {
  /** As the model pools it, not normalised. */
  readonly vector: readonly number[];
  /** Tokens evaluated, those that the vocabulary adds included. */
  readonly tokens: number;
}

/** How a model makes one vector out of many tokens; `last` is also what a chat model does. */
export type Pooling = 'mean' | 'cls' | 'last';

/** The vectors of one loaded model. Its contexts are made on first use. */
export interface Embedder {
  /** Length of a vector. */
  readonly dimensions: number;
  readonly pooling: Pooling;
  /** Longest input in tokens, those that the vocabulary adds included. */
  readonly maxTokens: number;
  /**
   * One embedding per input, in their order. Inputs of all callers share the contexts, first come, first served; several
   * are evaluated at once. ServeError context_length_exceeded or invalid_request, `param` naming the input
   * (`input[3]`), before anything is evaluated. Aborting takes effect between two inputs.
   */
  embed(inputs: readonly EmbeddingInput[], signal: AbortSignal): Promise<readonly Embedding[]>;
  dispose(): Promise<void>;
}

export interface Ranking {
  /** 0 to 1: how likely the document answers the query. In the order of the documents. */
  readonly scores: readonly number[];
  /** Tokens evaluated over all pairs of query and document. */
  readonly tokens: number;
}

/** The relevance scores of a model that was trained for them. */
export interface Ranker {
  /** Longest pair of query and document in tokens, with the marks between them. */
  readonly maxTokens: number;
  /** ServeError context_length_exceeded, `param` naming the document, before anything is evaluated. */
  rank(query: string, documents: readonly string[], signal: AbortSignal): Promise<Ranking>;
  dispose(): Promise<void>;
}
