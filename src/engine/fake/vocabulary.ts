import type { TokenText } from '../engine.ts';

export interface FakeVocabulary extends TokenText {
  readonly size: number;
  /** The control token that ends a turn: the first of the list. */
  readonly endToken: number;
  /** Control spellings are parsed. */
  encode(text: string): number[];
  decode(tokens: Iterable<number>): string;
}

const byteTokens = 256;
const fakeControls: readonly string[] = ['<|im_end|>', '<|im_start|>', '<think>', '</think>'];

/** One token per byte (ids 0 to 255), so characters really come in pieces; control tokens follow from id 256. */
export function createFakeVocabulary(controls: readonly string[] = fakeControls): FakeVocabulary {
  const isControl = (token: number) => token >= byteTokens && token < byteTokens + controls.length;
  const bytes = (token: number) =>
    isControl(token) ? Buffer.from(controls[token - byteTokens] ?? '') : Uint8Array.of(token);
  const encode = (text: string): number[] => {
    const tokens: number[] = [];
    let rest = text;
    while (rest !== '') {
      const control = controls.findIndex((spelling) => rest.startsWith(spelling));
      const taken = control === -1 ? String.fromCodePoint(rest.codePointAt(0) ?? 0) : (controls[control] ?? '');
      if (control === -1) tokens.push(...Buffer.from(taken));
      else tokens.push(byteTokens + control);
      rest = rest.slice(taken.length);
    }
    return tokens;
  };
  return {
    size: byteTokens + controls.length,
    endToken: byteTokens,
    isControl,
    bytes,
    encode,
    decode: (tokens) => Buffer.concat([...tokens].map(bytes)).toString('utf8'),
    async tokenize(pieces, { special, signal }) {
      signal?.throwIfAborted();
      return pieces.flatMap((piece) => (special ? encode(piece) : [...Buffer.from(piece)]));
    },
  };
}
