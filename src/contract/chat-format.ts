/**
 * How a model family writes its answers. One row of output/families.ts per family; prompt, output and grammar read the
 * same row. Markers are literal text of the model's output.
 */
export interface ChatFormat {
  readonly name: string;
  readonly reasoning: ReasoningMarkers | undefined;
  /** Key into the table of tool-call syntaxes; undefined: the family has no calls, everything is text. */
  readonly toolCalls: string | undefined;
  /** Ends of turn that come spelled out as text. */
  readonly stopStrings: readonly string[];
  /** Control tokens that the machines must see as text; all others are hidden. */
  readonly visibleTokens: readonly string[];
}

export interface ReasoningMarkers {
  readonly open: string;
  readonly close: string;
  /** Further texts that end the reasoning without belonging to it (a call may end an unclosed thought). */
  readonly alsoEndedBy?: readonly string[];
}

/** What a rendered prompt leaves open: where the model's text begins. */
export interface PromptOpening {
  readonly block: 'text' | 'reasoning';
  /** The end of the prompt that belongs to the answer (a `<think>` opened by the template, a prefill). */
  readonly generationPrompt: string;
}

export interface RenderedPrompt {
  /** Pieces to be tokenized one by one, see TokenText.tokenize. */
  readonly pieces: readonly string[];
  readonly opening: PromptOpening;
}
