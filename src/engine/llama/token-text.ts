import type { TokenText } from '../engine.ts';
import type { NativeModel } from './native.ts';

/** llama.cpp's llama_token_attr bits. */
const attribute = { unknown: 1, control: 8 } as const;
/** llama.cpp's LLAMA_VOCAB_TYPE_SPM: adds a space before every text it is given. */
const sentencePieceVocabulary = 1;

/**
 * One native call tokenizes so many characters at most; between calls the event loop runs. Measured with a vocabulary of
 * 152k: 2 ms for English, 6 ms for Chinese.
 */
const charactersPerCall = 4096;

export interface TokenTextOptions {
  readonly model: NativeModel;
  /** Lets the event loop run: `setImmediate` as a promise. */
  readonly yieldToEventLoop: () => Promise<void>;
}

export function createTokenText({ model, yieldToEventLoop }: TokenTextOptions): TokenText {
  const sentencePiece = model.getVocabularyType() === sentencePieceVocabulary;
  const known = new Map<number, Uint8Array>();
  const reader = tokenReader(model);

  const tokenizePiece = (text: string, special: boolean, first: boolean): Uint32Array => {
    if (first || !sentencePiece) return model.tokenize(text, special);
    // The piece goes on behind other text: the space that the vocabulary would invent is cut with the newline before it.
    const newline = model.tokenize('\n', false).length;
    return model.tokenize(`\n${text}`, special).subarray(newline);
  };

  return {
    async tokenize(pieces, { special, signal }) {
      const tokens: number[] = [];
      let first = true;
      let sinceYield = 0;
      for (const piece of pieces) {
        for (const part of cutAtWords(piece, charactersPerCall)) {
          if (sinceYield > 0 && sinceYield + part.length > charactersPerCall) {
            await yieldToEventLoop();
            signal?.throwIfAborted();
            sinceYield = 0;
          }
          sinceYield += part.length;
          for (const token of tokenizePiece(part, special, first)) tokens.push(token);
          first = false;
        }
      }
      return tokens;
    },

    bytes(token) {
      let bytes = known.get(token);
      if (!bytes) {
        bytes = reader.bytes(token);
        known.set(token, bytes);
      }
      return bytes;
    },

    isControl: reader.isControl,
  };
}

/** What a token is, asked of the native library each time. */
export function tokenReader(model: NativeModel): Pick<TokenText, 'bytes' | 'isControl'> {
  // A sentence-piece vocabulary strips the space of a first token, so texts are read behind an anchor.
  const anchor = model.getVocabularyType() === sentencePieceVocabulary ? firstPlainToken(model) : undefined;
  return {
    bytes: (token) => tokenBytes(model, token, anchor),
    isControl: (token) => (model.getTokenAttributes(token) & attribute.control) !== 0,
  };
}

/**
 * Cuts a long text where no pre-tokenizer lets a token span the cut: between a letter (or any non-space) and a space, or
 * between a letter and a mark of Chinese or Japanese writing, with a letter behind. A piece without such a place is cut
 * anyway: the text stays the same, a token at the seam may differ from what one call would give.
 */
export function* cutAtWords(text: string, most: number): Generator<string> {
  let start = 0;
  while (text.length - start > most) {
    const end = wordBorder(text, start, start + most);
    yield text.slice(start, end);
    start = end;
  }
  if (start < text.length) yield text.slice(start);
}

function wordBorder(text: string, start: number, end: number): number {
  for (let at = end; at > start; at--) if (isBorder(text, at)) return at;
  // Never between the halves of a surrogate pair.
  return /[\uD800-\uDBFF]/.test(text[end - 1] ?? '') ? end - 1 : end;
}

function isBorder(text: string, at: number): boolean {
  const before = text[at - 1] ?? ' ';
  const here = text[at] ?? '';
  if (here !== ' ' && !'。，、！？；：'.includes(here)) return false;
  return (here === ' ' ? /\S/u : /\p{L}/u).test(before) && /\p{L}/u.test(text[at + 1] ?? '');
}

const encoder = new TextEncoder();
const replacement = '\uFFFD';

/** Bytes exactly as the model means them: one token may hold only a part of a UTF-8 character. */
function tokenBytes(
  model: NativeModel,
  token: number,
  anchor: { token: number; length: number } | undefined,
): Uint8Array {
  const text = anchor
    ? model.detokenize(Uint32Array.of(anchor.token, token), true).slice(anchor.length)
    : model.detokenize(Uint32Array.of(token), true);
  if (!text.includes(replacement)) return encoder.encode(text);
  const spelled = model.getTokenString(token);
  const byteToken = /^<0x([0-9A-F]{2})>$/.exec(spelled);
  if (byteToken?.[1]) return Uint8Array.of(Number.parseInt(byteToken[1], 16));
  return bytesOfByteLevelText(spelled) ?? encoder.encode(text);
}

function firstPlainToken(model: NativeModel): { token: number; length: number } {
  const tokens = model.tokenize('a', false);
  const token = tokens[tokens.length - 1] ?? 0;
  return { token, length: model.detokenize(Uint32Array.of(token), true).length };
}

/** GPT-2's printable stand-ins for bytes: printable Latin-1 stands for itself, the others follow from U+0100. */
const byteOfCharacter = new Map<string, number>();
for (let byte = 0, next = 256; byte < 256; byte++) {
  const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  byteOfCharacter.set(String.fromCharCode(printable ? byte : next++), byte);
}

function bytesOfByteLevelText(text: string): Uint8Array | undefined {
  const bytes = Array.from(text, (character) => byteOfCharacter.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
}

/** What the profile needs to know of the vocabulary. */
export function controlTexts(model: NativeModel, vocabularySize: number): string[] {
  const texts = new Set<string>();
  for (let token = 0; token < vocabularySize; token++) {
    const bits = model.getTokenAttributes(token);
    if ((bits & (attribute.control | attribute.unknown)) === 0) continue;
    const text = model.getTokenString(token);
    if (text) texts.add(text);
  }
  return [...texts];
}
