import type { JsonObject } from './json.ts';
import type { ProjectorFile } from './projector.ts';

/** How many requests a model generates for at the same time, where nobody says and memory suffices. */
export const defaultSlots = 4;

/** What a loaded model tells about itself, as far as other rooms need it. Sizes in tokens or bytes. */
export interface ModelProfile {
  /** The name that answers carry: alias or file name without .gguf. */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly path: string;
  /** Unix seconds: when the file was made. */
  readonly created: number;
  readonly architecture: string;
  readonly sizeBytes: number;
  readonly parameters: number | undefined;
  readonly quantization: string | undefined;
  /** Context per slot. */
  readonly contextSize: number;
  readonly trainedContextSize: number;
  readonly embeddingSize: number;
  readonly slots: number;
  /** Jinja text; undefined when the file has none. */
  readonly chatTemplate: string | undefined;
  /** The template for requests with tools, where the file has a separate one (`tool_use`). */
  readonly toolTemplate: string | undefined;
  /** Overrides the family found by the template's markers. */
  readonly chatFormat: string | undefined;
  readonly vocabulary: VocabularyFacts;
  /** false: it gives embeddings and ranks only, because its file can do no more or because that is what it is there for. */
  readonly generates: boolean;
  /** What lets it see images; absent: nothing. */
  readonly projector?: ProjectorFile;
  /** From `general.sampling.*` of the GGUF. */
  readonly recommendedSampling: {
    readonly temperature?: number;
    readonly topP?: number;
    readonly topK?: number;
    readonly minP?: number;
  };
  /** Raw GGUF metadata without the token lists. */
  readonly metadata: JsonObject;
}

export interface VocabularyFacts {
  readonly size: number;
  /** Texts as templates write them; "" when the vocabulary has none. */
  readonly bosText: string;
  readonly eosText: string;
  readonly bosToken?: number;
  /** The tokenizer adds it itself, so one written by the template must be cut. */
  readonly addsBos: boolean;
  readonly addsEos: boolean;
  /** Spellings of all control tokens: user text must never become one of these. */
  readonly controlTexts: readonly string[];
  readonly infill: { readonly prefix: number; readonly suffix: number; readonly middle: number } | undefined;
}
