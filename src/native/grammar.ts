import type { Candidates } from './candidates.ts';
import { checkGrammarText } from './grammar-text.ts';
import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A GBNF grammar and how far an answer has come in it. The model is not freed before it. */
export class Grammar extends Handle {
  readonly #library: NativeLibrary;
  readonly #letVocabularyGo: () => void;
  /** What was asked for last and is allowed next. */
  #allowed: number | undefined;

  /** Throws when the text is no grammar, RangeError for one that the library would not survive. */
  constructor(library: NativeLibrary, vocabulary: Vocabulary, text: string) {
    checkGrammarText(text);
    const pointer = library.functions.llama_sampler_init_grammar(vocabulary.pointer, text, 'root');
    if (pointer === nullPointer) throw new Error('the grammar could not be read');
    super('grammar', pointer);
    this.#library = library;
    this.#letVocabularyGo = vocabulary.use();
  }

  /** Candidates that it forbids get the logit -Infinity. */
  apply(candidates: Candidates): void {
    this.#library.functions.llama_sampler_apply(this.pointer, candidates.forSamplers);
  }

  /** Whether the token may come next. Takes the candidates' place for a moment. */
  allows(token: number, candidates: Candidates): boolean {
    candidates.single(token);
    this.apply(candidates);
    this.#allowed = candidates.anyAllowed ? token : undefined;
    return this.#allowed !== undefined;
  }

  /**
   * The token that `allows` was asked about last, and allowed: for another one the library would end the process. Throws
   * RangeError.
   */
  accept(token: number): void {
    const { pointer } = this;
    if (this.#allowed !== token) throw new RangeError(`The grammar was not asked about token ${token} just before.`);
    this.#allowed = undefined;
    this.#library.functions.llama_sampler_accept(pointer, token);
  }

  protected release(pointer: Pointer): void {
    this.#library.functions.llama_sampler_free(pointer);
    this.#letVocabularyGo();
  }
}
