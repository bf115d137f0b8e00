import type { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import type { Pointer } from './pointer.ts';

/**
 * One native call tokenizes so many characters at most: pre-tokenizers of several vocabularies recurse over a word
 * (`std::regex`), and 60,000 letters without a space end the process even on a stack of 16 MiB.
 */
export const mostCharactersPerCall = 4096;

/** llama_token_attr. */
const attribute = { unknown: 1, control: 8 } as const;
/** Text of an ordinary token in bytes; a longer one is asked for again. */
const usualPieceBytes = 64;
const noToken = -1;
/** Bytes of the buffer in llama_sampler_infill. */
const longestInfillPiece = 512;

/** Which rules a vocabulary was made by (llama_vocab_type). */
export const vocabularyType = { none: 0, sentencePiece: 1, bytePair: 2, wordPiece: 3, unigram: 4, rwkv: 5 } as const;

/** Tokens and their text. Reads only, so any number of threads may have one over the same model while it lives. */
export class Vocabulary {
  readonly size: number;
  readonly type: number;
  readonly bos: number;
  readonly eos: number;
  readonly sep: number;
  readonly addsBos: boolean;
  readonly addsEos: boolean;
  readonly addsSep: boolean;
  readonly #library: NativeLibrary;
  readonly #model: Handle;
  readonly #vocab: Pointer;
  #suitsInfillSampler: boolean | undefined;

  constructor(library: NativeLibrary, model: Handle) {
    const { functions } = library;
    const vocab = functions.llama_model_get_vocab(model.pointer);
    this.#library = library;
    this.#model = model;
    this.#vocab = vocab;
    this.size = functions.llama_vocab_n_tokens(vocab);
    this.type = functions.llama_vocab_type(vocab);
    this.bos = functions.llama_vocab_bos(vocab);
    this.eos = functions.llama_vocab_eos(vocab);
    this.sep = functions.llama_vocab_sep(vocab);
    this.addsBos = functions.llama_vocab_get_add_bos(vocab);
    this.addsEos = functions.llama_vocab_get_add_eos(vocab);
    this.addsSep = functions.llama_vocab_get_add_sep(vocab);
  }

  /** For samplers. Throws once the model was freed. */
  get pointer(): Pointer {
    this.#model.assertUsable();
    return this.#vocab;
  }

  /** For what stands on it: until it lets go, by what is returned, the model cannot be freed. */
  use(): () => void {
    return this.#model.use();
  }

  /** No marks of the vocabulary are added. Throws RangeError for more than `mostCharactersPerCall`. */
  tokenize(text: string, special: boolean): Int32Array {
    if (text.length > mostCharactersPerCall) {
      throw new RangeError(`${text.length} characters are too many for one call, at most ${mostCharactersPerCall}.`);
    }
    const bytes = Buffer.from(text, 'utf8');
    const { llama_tokenize: tokenize } = this.#library.functions;
    // Byte-level vocabularies give at most one token per byte; sentence-piece ones may put a space before it.
    const tokens = new Int32Array(bytes.length + 8);
    const count = tokenize(this.pointer, bytes, bytes.length, tokens, tokens.length, false, special);
    if (count >= 0) return tokens.subarray(0, count);
    const enough = new Int32Array(-count);
    return enough.subarray(0, tokenize(this.pointer, bytes, bytes.length, enough, enough.length, false, special));
  }

  /** The bytes of one token, which may be a part of a UTF-8 character. Control tokens give their spelling. */
  bytes(token: number): Uint8Array {
    if (!this.has(token)) return new Uint8Array(0);
    const { llama_token_to_piece: toPiece } = this.#library.functions;
    const usual = new Uint8Array(usualPieceBytes);
    const length = toPiece(this.pointer, token, usual, usual.length, 0, true);
    if (length >= 0) return usual.slice(0, length);
    const enough = new Uint8Array(-length);
    toPiece(this.pointer, token, enough, enough.length, 0, true);
    return enough;
  }

  /** As the vocabulary spells it: `▁the`, `<|im_end|>`; empty for a number that is no token. */
  spelling(token: number): string {
    return this.has(token) ? (this.#library.functions.llama_vocab_get_text(this.pointer, token) ?? '') : '';
  }

  has(token: number): boolean {
    return Number.isInteger(token) && token >= 0 && token < this.size;
  }

  isControl(token: number): boolean {
    return (this.#attributes(token) & attribute.control) !== 0;
  }

  /** Control tokens and the token for what is unknown: a text that spells them means them where that is allowed. */
  isSpecial(token: number): boolean {
    return (this.#attributes(token) & (attribute.control | attribute.unknown)) !== 0;
  }

  isEndOfGeneration(token: number): boolean {
    return this.has(token) && this.#library.functions.llama_vocab_is_eog(this.pointer, token);
  }

  /**
   * llama.cpp's sampler `infill` asserts that there is a token for the end, and reads the text of tokens into a buffer that
   * it cannot make larger. The first look reads all tokens.
   */
  get suitsInfillSampler(): boolean {
    this.#suitsInfillSampler ??= this.#hasEnd && this.#longestPiece <= longestInfillPiece;
    return this.#suitsInfillSampler;
  }

  get #hasEnd(): boolean {
    return this.has(this.eos) || this.has(this.#library.functions.llama_vocab_eot(this.pointer));
  }

  get #longestPiece(): number {
    let longest = 0;
    for (let token = 0; token < this.size; token++) longest = Math.max(longest, this.bytes(token).length);
    return longest;
  }

  /** Fill in the middle; undefined where the vocabulary has none. */
  infill(): { readonly prefix: number; readonly suffix: number; readonly middle: number } | undefined {
    const { functions } = this.#library;
    const prefix = functions.llama_vocab_fim_pre(this.pointer);
    const suffix = functions.llama_vocab_fim_suf(this.pointer);
    const middle = functions.llama_vocab_fim_mid(this.pointer);
    return [prefix, suffix, middle].includes(noToken) ? undefined : { prefix, suffix, middle };
  }

  /** Tokens that the model's makers want never to be drawn (`tokenizer.ggml.suppress_tokens`). */
  suppressed(): Int32Array {
    const count = new Int32Array(1);
    const tokens = this.#library.functions.llama_vocab_get_suppress_tokens(this.pointer, count);
    const length = count[0] ?? 0;
    return length === 0 ? new Int32Array(0) : new Int32Array(this.#library.view(tokens, length * 4)).slice();
  }

  #attributes(token: number): number {
    return this.has(token) ? this.#library.functions.llama_vocab_get_attr(this.pointer, token) : 0;
  }
}
