import { Handle } from './handle.ts';
import type { NativeLibrary } from './open-library.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A GBNF grammar and how far an answer has come in it. */
export class Grammar extends Handle {
  readonly #library: NativeLibrary;

  /** Throws when the text is no grammar. */
  constructor(library: NativeLibrary, vocabulary: Vocabulary, text: string) {
    const pointer = library.functions.llama_sampler_init_grammar(vocabulary.pointer, text, 'root');
    if (pointer === nullPointer) throw new Error('the grammar could not be read');
    super('grammar', pointer);
    this.#library = library;
  }

  /** Candidates that it forbids get the logit -Infinity. */
  apply(candidates: Pointer): void {
    this.#library.functions.llama_sampler_apply(this.pointer, candidates);
  }

  /** Only a token that `apply` has let pass: the library ends the process for another one. */
  accept(token: number): void {
    this.#library.functions.llama_sampler_accept(this.pointer, token);
  }

  protected release(pointer: Pointer): void {
    this.#library.functions.llama_sampler_free(pointer);
  }
}
